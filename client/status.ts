/**
 * How a run stands. Temporal is asked first: it knows what goes on, and for as long as it keeps a run also how it ended, without
 * any worker. What it has forgotten, or cannot be asked, the record of the run in the store tells: of runs whose plan was resolved, and
 * which came to an end of their own.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from '../config/errors.js';
import type { RunOutcome } from '../config/plan.js';
import { RunReader, type RunReference } from './run-reader.js';
import type { RunView } from './run-view.js';

export interface StatusRequest extends RunReference {
  /** URL of the store that the plan names: for runs that Temporal no longer knows. */
  readonly store?: string;
}

/** Doubts end by themselves, after ten seconds at most. */
const lookAgainMs = 1000;

/** @throws run-missing, run-unreadable, temporal-unavailable, temporal-refused; with a store also what it throws */
export async function status({ store, ...run }: StatusRequest): Promise<RunView> {
  try {
    return await certainLook(new RunReader(run));
  } catch (error) {
    if (store === undefined || !hasCode(error, 'run-missing', 'temporal-unavailable', 'temporal-refused')) throw error;
    const recorded = await recordedView(store, run.runId);
    if (recorded) return recorded;
    throw error;
  }
}

/** A worker that seems to have fallen silent may have a late clock: a live one speaks again within seconds. */
async function certainLook(reader: RunReader): Promise<RunView> {
  let view = await reader.look();
  while (reader.doubtsWorkers && view.status === 'running') {
    await delay(lookAgainMs);
    view = await reader.look();
  }
  return view;
}

async function recordedView(url: string, runId: string): Promise<RunView | undefined> {
  const { openObjectStore, readRun } = await import('../storage/index.js');
  const store = await openObjectStore(url);
  try {
    const run = await readRun(store, runId);
    if (run?.status !== 'closed' || run.outcome === null) return undefined;
    const { status: end, nodes, failure } = run.outcome as unknown as RunOutcome;
    return { runId, plan: run.plan, status: end, nodes, ...(failure && { failure }), missingWorkers: [] };
  } finally {
    await store.close();
  }
}
