/** What the job of a stage says whose bits depend on how numbers are computed. */
import { z } from 'zod';
import { artifactRefSchema } from '../storage/index.js';
import { stageJobSchema } from './stage-child.js';

export const computingJobSchema = stageJobSchema.extend({
  with: z.record(z.string(), z.json()),
  inputs: z.record(z.string(), artifactRefSchema),
  numerics: z.object({
    runner: z.enum(['tensorflow', 'wasm']),
    tensorflow: z.string().nullable(),
    xla: z.boolean(),
    precision: z.enum(['float32', 'bfloat16']),
    threads: z.int().positive(),
  }),
});
