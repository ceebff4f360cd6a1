/** The process that captures the distributions of a teacher. */
import { captureStage } from '../distillation/capture/index.js';
import { computingJobSchema } from './computing-job.js';
import { openStageRunner } from './open-runner.js';
import { runStageChild } from './stage-child.js';

void runStageChild(computingJobSchema, async ({ job, ...stage }) => {
  const { runner, cacheDirectory } = await openStageRunner(job.numerics, stage.writer);
  return captureStage(job, { ...stage, runner, cacheDirectory });
});
