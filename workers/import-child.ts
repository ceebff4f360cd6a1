/** The process that imports a dataset: goes on from its last checkpoint, seals an artifact of normalised rows. */
import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import type { WorkOutcome } from '../activities/claimed-work.js';
import { datasetSchema } from '../config/dataset-schema.js';
import { datasetIdentitySchema, importDataset, openDataset } from '../distillation/index.js';
import { runStageChild, stageJobSchema, type ClaimedStage } from './stage-child.js';

const jobSchema = stageJobSchema.extend({
  with: z.object({ dataset: datasetSchema, shardBytes: z.int() }),
  preimage: z.object({ options: z.object({ dataset: datasetIdentitySchema }).catchall(z.json()) }).catchall(z.json()),
});
type ImportJob = z.output<typeof jobSchema>;

void runStageChild(jobSchema, async (stage) => {
  const source = await openDataset(stage.job.with.dataset);
  try {
    return await importFrom(source, stage);
  } finally {
    await source.close();
  }
});

async function importFrom(
  source: Awaited<ReturnType<typeof openDataset>>,
  { job: { with: options, preimage }, store, writer, progress, stop }: ClaimedStage<ImportJob>,
): Promise<WorkOutcome> {
  const startedAtMs = performance.now();
  const identity = preimage.options.dataset;
  const files = source.open(identity);
  const { dataset, repeated } = await importDataset({
    store,
    writer,
    files,
    shardBytes: options.shardBytes,
    stop,
    onProgress: ({ durableShards, ...facts }) =>
      progress({
        phase: 'read',
        facts: { ...facts },
        ...(durableShards > 0 ? { durable: { step: durableShards, fence: writer.fence } } : {}),
      }),
  });
  progress({ phase: 'seal' });
  return {
    outputs: { dataset },
    facts: {
      rows: dataset.rows ?? 0,
      bytes: dataset.bytes,
      ...('files' in identity && { files: files.length, repeatedRows: repeated }),
    },
    observations: {
      lastAttemptMs: Math.round(performance.now() - startedAtMs),
      // Of the window, which the same files can lie in another night as well.
      ...('files' in identity && { emptyDays: [...source.emptyDays(identity)] }),
    },
    reproducible: true,
  };
}
