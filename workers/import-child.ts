/** The process that imports a dataset: goes on from its last checkpoint, seals an artifact of normalised rows. */
import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { importDataset, openDatasetSource, sourceIdentitySchema } from '../distillation/index.js';
import { runStageChild, stageJobSchema, type ClaimedStage, type WorkOutcome } from './stage-child.js';

const jobSchema = stageJobSchema.extend({
  with: z.object({ dataset: z.string(), shardBytes: z.int() }),
  preimage: z.object({ options: z.object({ dataset: sourceIdentitySchema }).catchall(z.json()) }).catchall(z.json()),
});
type ImportJob = z.output<typeof jobSchema>;

void runStageChild(jobSchema, async (stage) => {
  const source = await openDatasetSource(stage.job.with.dataset);
  try {
    return await importFrom(source, stage);
  } finally {
    await source.close();
  }
});

async function importFrom(
  source: Awaited<ReturnType<typeof openDatasetSource>>,
  { job: { with: options, preimage }, store, writer, progress, stop }: ClaimedStage<ImportJob>,
): Promise<WorkOutcome> {
  const startedAtMs = performance.now();
  const dataset = await importDataset({
    store,
    writer,
    source,
    identity: preimage.options.dataset,
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
    facts: { rows: dataset.rows ?? 0, bytes: dataset.bytes },
    observations: { lastAttemptMs: Math.round(performance.now() - startedAtMs) },
    reproducible: true,
  };
}
