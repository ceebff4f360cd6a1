/**
 * The light activities that every plan needs: resolve the file, keep the run's record, look up results. They load no native
 * code and hold no state.
 */
import { activityNames } from '../config/activity-names.js';
import { NightstillError } from '../config/errors.js';
import type { LookupResult, NodeInput, ResolvedPlan, RunEnd, RunStart } from '../config/plan.js';
import { closeRun, openObjectStore, openRun, parseDigest, type Json, type ObjectStore } from '../storage/index.js';
import { withHeartbeat } from './heartbeat.js';
import { lookUpStage } from './lookup.js';
import { isQueueServed } from './queue-served.js';
import { resolvePlan, type PlanRules } from './resolve-plan.js';
import { hasSearchAttributes } from './search-attributes.js';
import { identifyStage } from './stage-key.js';
import { translating } from './translate.js';

export type PlanActivities = ReturnType<typeof createPlanActivities>;

export const createPlanActivities = (rules: PlanRules) => ({
  [activityNames.resolvePlan]: translating(async (file: unknown): Promise<ResolvedPlan> => ({
    ...resolvePlan(file, rules),
    searchable: await hasSearchAttributes(),
  })),

  [activityNames.openRun]: translating(({ runId, plan, store, planDigest }: RunStart) =>
    withStore(
      store,
      async (opened) => void (await openRun(opened, { id: runId, plan, planDigest: parseDigest(planDigest) })),
    ),
  ),

  [activityNames.lookup]: translating((input: NodeInput): Promise<LookupResult> =>
    withHeartbeat(undefined, async () => {
      const kind = kindOf(input, rules);
      const stage = await identifyStage(kind, input);
      const found = await withStore(input.store, (store) => lookUpStage(store, kind, input, stage));
      return found.outputs ? found : { ...found, polled: await isQueueServed(input.queue) };
    }),
  ),

  [activityNames.closeRun]: translating(({ runId, store, outcome }: RunEnd) =>
    withStore(store, async (opened) => void (await closeRun(opened, runId, toJson(outcome)))),
  ),
});

const toJson = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json;

function kindOf({ node, uses }: NodeInput, { kinds }: PlanRules) {
  const kind = kinds.find((known) => known.kind === uses);
  if (kind) return kind;
  throw new NightstillError('plan-invalid', `stage ${node}: expected a kind that this worker knows, found "${uses}"`);
}

async function withStore<Result>(url: string, work: (store: ObjectStore) => Promise<Result>): Promise<Result> {
  const store = await openObjectStore(url, { forWriting: true });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
