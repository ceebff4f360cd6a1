/**
 * The process that imports a dataset: claims the stage, goes on from its last checkpoint, seals it. One life, one claim: a
 * process that lost its fence, or whose parent is gone, ends.
 */
import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { hasCode, NightstillError } from '../config/errors.js';
import type { Json } from '../config/json.js';
import type { StageOutput } from '../config/plan.js';
import { importDataset, openDatasetSource, sourceIdentitySchema } from '../distillation/index.js';
import { claimStage, lookupResult, openObjectStore, type ObjectStore, type StageWriter } from '../storage/index.js';
import { runChild, type ChildContext } from './child-link.js';

const jobSchema = z.object({
  store: z.string(),
  stageKey: z.string(),
  owner: z.object({ workflowId: z.string(), runId: z.string(), activityId: z.string(), attempt: z.int() }),
  with: z.object({ dataset: z.string(), shardBytes: z.int() }),
  preimage: z.object({ options: z.object({ dataset: sourceIdentitySchema }).catchall(z.json()) }).catchall(z.json()),
});
type ImportJob = z.output<typeof jobSchema>;

void runChild(async (context) => {
  const job = parseJob(context.job);
  context.progress({ phase: 'open' });
  const store = await openObjectStore(job.store, { forWriting: true });
  try {
    const { outputs } = await importOnce(store, job, context);
    return { outputs };
  } finally {
    await store.close();
  }
});

function parseJob(job: Json): ImportJob {
  const parsed = jobSchema.safeParse(job);
  if (parsed.success) return parsed.data;
  throw new NightstillError(
    'child-protocol',
    `expected the job of an import, found ${parsed.error.issues[0]?.message}`,
  );
}

async function importOnce(store: ObjectStore, job: ImportJob, context: ChildContext): Promise<StageOutput> {
  context.progress({ phase: 'claim' });
  try {
    const { stageKey, owner } = job;
    const isOpen = async (other: typeof owner): Promise<boolean> =>
      (await context.ask({ isOpen: { ...other } })) === true;
    return await importAndSeal(store, await claimStage(store, { stageKey, owner, isOpen }), job, context);
  } catch (error) {
    const finished = hasCode(error, 'stage-sealed') ? await lookupResult(store, job.stageKey) : undefined;
    if (finished) return { outputs: finished.outcome.outputs };
    throw error;
  }
}

async function importAndSeal(
  store: ObjectStore,
  writer: StageWriter,
  { with: options, preimage }: ImportJob,
  { progress, stop }: ChildContext,
): Promise<StageOutput> {
  const startedAtMs = performance.now();
  const source = await openDatasetSource(options.dataset);
  try {
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
    const { outcome } = await writer.seal({
      preimage,
      outputs: { dataset },
      facts: { rows: dataset.rows ?? 0, bytes: dataset.bytes },
      observations: { lastAttemptMs: Math.round(performance.now() - startedAtMs) },
      reproducible: true,
    });
    return { outputs: outcome.outputs };
  } finally {
    await source.close();
  }
}
