/**
 * Some stages depend on the day of the run, such as one that asks again for answers that are too old. The plan is resolved for one
 * day, which the record of the run keeps: retries, resets, and a run that is started again under its id use the same day.
 */
import { Context } from '@temporalio/activity';
import type { Plan } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { readRun } from '../storage/index.js';
import type { OpenStores } from './open-stores.js';

/** For the day in the record of the run; of a run without a record, for today by Temporal's clock. */
export async function planOfDay(
  plan: Plan,
  kinds: readonly StageKind[],
  stores: OpenStores,
): Promise<{ readonly plan: Plan; readonly day?: string }> {
  const { workflowExecution, scheduledTimestampMs } = Context.current().info;
  const today = dayOf(scheduledTimestampMs);
  if (onDay(plan, kinds, today) === undefined) return { plan };
  const runId = workflowExecution?.workflowId;
  const run = runId === undefined ? undefined : await stores.use(plan.store, (store) => readRun(store, runId));
  const day = run?.day ?? today;
  return { plan: onDay(plan, kinds, day) ?? plan, day };
}

/** @returns undefined where no stage depends on the day */
export function onDay(plan: Plan, kinds: readonly StageKind[], day: string): Plan | undefined {
  let isDated = false;
  const nodes = plan.nodes.map((node) => {
    const options = kinds.find(({ kind }) => kind === node.uses)?.onDay(node.with, day);
    isDated ||= options !== undefined;
    return options ? { ...node, with: options } : node;
  });
  return isDated ? { ...plan, nodes } : undefined;
}

export const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 'YYYY-MM-DD'.length);
