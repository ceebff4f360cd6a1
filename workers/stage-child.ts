/**
 * A child process that does the work of one stage: it opens the store, claims the stage, holds cores of the host if it
 * computes, works, seals. One life, one claim: a process that lost its fence, or whose parent is gone, ends.
 */
import { z } from 'zod';
import { workUnderClaim, type WorkOutcome } from '../activities/claimed-work.js';
import { NightstillError } from '../config/errors.js';
import type { ChildPhase } from '../config/child-phases.js';
import type { Json } from '../config/json.js';
import type { StageOutput } from '../config/plan.js';
import {
  openObjectStore,
  stageOwnerSchema,
  type IsOpen,
  type ObjectStore,
  type StageWriter,
} from '../storage/index.js';
import { runChild, type ChildContext } from './child-link.js';
import { coreClaimOf } from './core-holders.js';
import { holdCoresOfHost } from './core-lease.js';

/** What every job of a stage says; others add to it. */
export const stageJobSchema = z.object({
  store: z.string(),
  stageKey: z.string(),
  uses: z.string(),
  owner: stageOwnerSchema,
  declared: z.record(z.string(), z.string()),
  preimage: z.record(z.string(), z.json()),
  /** Where bits depend on them. */
  numerics: z.looseObject({ threads: z.int().positive() }).optional(),
});
type StageJob = z.output<typeof stageJobSchema>;

export interface ClaimedStage<Job> extends Pick<ChildContext, 'progress' | 'stop'> {
  readonly job: Job;
  readonly store: ObjectStore;
  readonly writer: StageWriter;
}

type Work<Job> = (stage: ClaimedStage<Job>) => Promise<WorkOutcome>;

/** Runs the whole life of the process. What `work` returns is sealed. */
export function runStageChild<Job extends StageJob>(schema: z.ZodType<Job>, work: Work<Job>): Promise<void> {
  return runChild(async (context) => {
    const job = parseJob(schema, context.job);
    context.progress({ phase: 'open' satisfies ChildPhase });
    const store = await openObjectStore(job.store, { forWriting: true });
    try {
      const { outputs } = await workOnce(store, job, work, context);
      return { outputs };
    } finally {
      await store.close();
    }
  });
}

function parseJob<Job>(schema: z.ZodType<Job>, job: Json): Job {
  const parsed = schema.safeParse(job);
  if (parsed.success) return parsed.data;
  throw new NightstillError('child-protocol', `expected the job of a stage, found: ${z.prettifyError(parsed.error)}`);
}

function workOnce<Job extends StageJob>(
  store: ObjectStore,
  job: Job,
  work: Work<Job>,
  { ask, progress, stop }: ChildContext,
): Promise<StageOutput> {
  const { stageKey, owner, uses, declared, preimage, numerics } = job;
  progress({ phase: 'claim' satisfies ChildPhase });
  const isOpen: IsOpen = async (other, question) => (await ask({ isOpen: { ...other }, ...question })) === true;
  return workUnderClaim(store, { stageKey, owner, isOpen, uses, declared, preimage }, async (writer) => {
    // After the claim: whoever holds cores for an earlier one can be ended.
    if (numerics) await holdCoresOfHost(numerics.threads, coreClaimOf(store, writer), { progress, stop });
    return work({ job, store, writer, progress, stop });
  });
}
