/** The process that trains, whatever the kind of its stage: a fine-tune, a distillation. */
import { join } from 'node:path';
import { readEnvironment } from '../config/environment.js';
import { trainStage } from '../distillation/training/index.js';
import { computingJobSchema } from './computing-job.js';
import { openRunner, recordedFingerprint } from './open-runner.js';
import { runStageChild } from './stage-child.js';

void runStageChild(computingJobSchema, async ({ job, ...stage }) => {
  const cacheDirectory = join(readEnvironment(process.env).cacheDirectory, 'training');
  const runner = await openRunner(
    job.numerics,
    join(cacheDirectory, 'programs'),
    await recordedFingerprint(stage.writer),
  );
  return trainStage(job, { ...stage, runner, cacheDirectory });
});
