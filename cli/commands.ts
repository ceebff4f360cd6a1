/** The verbs, in the order in which they are listed. */
import type { Command } from './command.js';
import { doctorCommand } from './doctor.js';
import { devCommand } from './dev.js';
import { runCommand } from './run.js';
import { setupCommand } from './setup.js';
import { tokenizerCommand } from './tokenizer.js';
import { watchCommand } from './watch.js';

export const commands: readonly Command[] = [
  runCommand,
  watchCommand,
  devCommand,
  setupCommand,
  doctorCommand,
  tokenizerCommand,
];
