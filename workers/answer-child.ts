/** The process in which a model on this machine answers as a teacher. */
import { join } from 'node:path';
import { z } from 'zod';
import { readEnvironment } from '../config/environment.js';
import { answerStage } from '../distillation/answering/index.js';
import { computingJobSchema } from './computing-job.js';
import { openRunner } from './open-runner.js';
import { runStageChild } from './stage-child.js';

const answeringJobSchema = computingJobSchema.extend({ runId: z.string() });

void runStageChild(answeringJobSchema, async ({ job, ...stage }) => {
  const cacheDirectory = join(readEnvironment(process.env).cacheDirectory, 'training');
  const runner = await openRunner(job.numerics, join(cacheDirectory, 'programs'));
  return answerStage(job, { ...stage, runner, cacheDirectory });
});
