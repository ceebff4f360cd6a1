/** The process that trains, whatever the kind of its stage: a fine-tune, a distillation. */
import { join } from 'node:path';
import { z } from 'zod';
import { readEnvironment } from '../config/environment.js';
import { trainStage } from '../distillation/training/index.js';
import { artifactRefSchema } from '../storage/index.js';
import { openRunner } from './open-runner.js';
import { runStageChild, stageJobSchema } from './stage-child.js';

const jobSchema = stageJobSchema.extend({
  uses: z.string(),
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

void runStageChild(jobSchema, async ({ job, ...stage }) => {
  const cacheDirectory = join(readEnvironment(process.env).cacheDirectory, 'training');
  const runner = await openRunner(job.numerics, join(cacheDirectory, 'programs'));
  return trainStage(job, { ...stage, runner, cacheDirectory });
});
