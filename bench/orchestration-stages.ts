/** The stage of the bench: everything that a stage costs, and no work. A module for `--stages`. */
import { z } from 'zod';
import { defineStage, type Stage } from '../plugins/index.js';

const nothing = defineStage({
  kind: 'nothing',
  version: 1,
  options: z.strictObject({ number: z.int(), round: z.string() }),
  outputs: {},
  run: () => Promise.resolve({ outputs: {}, facts: null }),
});

export const stages: readonly Stage[] = [nothing];
