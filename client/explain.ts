/**
 * Why each stage of a run was reused or had to run: what its identity consists of now, against what it consisted of in the runs
 * of this plan before. Read from the store alone; with a Temporal client, a run that goes on is explained too, and the store
 * need not be named.
 */
import type { Client } from '@temporalio/client';
import { NightstillError } from '../config/errors.js';
import { explainDifference } from '../config/explain-difference.js';
import { checkNode } from '../config/known-node.js';
import { driftLines, teacherDriftOf } from '../config/teacher-drift.js';
import type { NodeState, NodeStatus, RunOutcome } from '../config/plan.js';
import type { ObjectStore, Run } from '../storage/index.js';
import { seenRun } from './seen-run.js';

export type ExplainRequest = {
  readonly runId: string;
  /** Default: all that were looked up. */
  readonly node?: string;
} & (
  | { readonly store: string; readonly client?: Client }
  /** The store is that of the plan. */
  | { readonly store?: undefined; readonly client: Client }
);

export interface Explanation {
  readonly node: string;
  /** Absent while the run goes on and no client is given. */
  readonly status?: NodeStatus;
  /** In a line, as it was judged when the node was looked up. */
  readonly why?: string;
  /** Absent of a node that had nothing to decide. */
  readonly stageKey?: string;
  /** Of the runs before; absent where there was none. */
  readonly stageKeyBefore?: string;
  /** What differs, a line each: `temperature: 1 → 2`; of a stage that asks canaries, how the teacher has changed. Empty where nothing does, and where one side is no longer recorded. */
  readonly differences: readonly string[];
  /** The run whose result stands recorded for this work. */
  readonly recordedBy?: string;
}

/**
 * @throws run-missing when the store has no record of the run; node-missing; run-unreadable, temporal-unavailable; what a store
 *   throws
 */
export async function explain({ runId, node, client, store: named }: ExplainRequest): Promise<Explanation[]> {
  const seen = client && (await seenRun(client, runId, named === undefined));
  const url = named ?? seen?.store;
  if (url === undefined) throw missing(runId, 'a plan that names a store');
  const { openObjectStore, readRun } = await import('../storage/index.js');
  const store = await openObjectStore(url);
  try {
    const run = await readRun(store, runId);
    if (run === undefined) throw missing(runId, 'its record in the store');
    const nodes = seen?.nodes ?? (run.outcome as RunOutcome | null)?.nodes ?? [];
    checkNode(runId, node, nodes);
    const idle = nodes.filter(({ unchanged }) => unchanged !== undefined).map(({ id }) => id);
    const wanted = [...new Set([...Object.keys(run.stages), ...idle])].filter(
      (id) => node === undefined || id === node,
    );
    return await Promise.all(
      wanted.map(async (id) => {
        const seenNode = nodes.find((one) => one.id === id);
        return idle.includes(id) ? explainIdle(id, seenNode) : explainNode(store, run, id, seenNode);
      }),
    );
  } finally {
    await store.close();
  }
}

type Seen = Pick<NodeState, 'status' | 'why'>;

const saidOf = (seen: Seen | undefined): Pick<Explanation, 'status' | 'why'> => ({
  ...(seen && { status: seen.status }),
  ...(seen?.why !== undefined && { why: seen.why }),
});

const explainIdle = (node: string, seen: Seen | undefined): Explanation => ({ node, ...saidOf(seen), differences: [] });

async function explainNode(store: ObjectStore, run: Run, node: string, seen: Seen | undefined): Promise<Explanation> {
  const { lookupStage } = await import('../storage/index.js');
  const stageKey = run.stages[node] ?? '';
  const before = run.before[node];
  const { result } = await lookupStage(store, stageKey, { readOnly: true });
  const drift = result && teacherDriftOf(result.outcome.facts);
  return {
    node,
    ...saidOf(seen),
    stageKey,
    ...(before !== undefined && { stageKeyBefore: before }),
    differences: [
      ...(before === undefined || before === stageKey ? [] : await differencesOf(store, before, stageKey)),
      ...(drift ? driftLines(drift) : []),
    ],
    ...(result?.recordedBy !== undefined && { recordedBy: result.recordedBy }),
  };
}

async function differencesOf(store: ObjectStore, before: string, now: string): Promise<string[]> {
  const { readPreimage } = await import('../storage/index.js');
  const [previous, current] = await Promise.all([readPreimage(store, before), readPreimage(store, now)]);
  return previous && current ? explainDifference(previous, current) : [];
}

const missing = (runId: string, expected: string): NightstillError =>
  new NightstillError('run-missing', `run ${runId}: expected ${expected}, found none`, { details: { runId } });
