/** The verbs, in the order in which they are listed. */
import type { Command } from './command.js';
import { doctorCommand } from './doctor.js';
import { setupCommand } from './setup.js';
import { tokenizerCommand } from './tokenizer.js';

export const commands: readonly Command[] = [setupCommand, doctorCommand, tokenizerCommand];
