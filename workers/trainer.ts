/** The process that trains, whatever the kind of its stage: a fine-tune, a distillation. */
import { trainStage } from '../distillation/training/index.js';
import { computingJobSchema } from './computing-job.js';
import { openStageRunner } from './open-runner.js';
import { runStageChild } from './stage-child.js';

void runStageChild(computingJobSchema, async ({ job, ...stage }) => {
  const { runner, cacheDirectory } = await openStageRunner(job.numerics, stage.writer);
  return trainStage(job, { ...stage, runner, cacheDirectory });
});
