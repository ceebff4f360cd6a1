/** The process that captures the distributions of a teacher. */
import { join } from 'node:path';
import { readEnvironment } from '../config/environment.js';
import { captureStage } from '../distillation/capture/index.js';
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
  return captureStage(job, { ...stage, runner, cacheDirectory });
});
