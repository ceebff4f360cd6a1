/**
 * The light activities that every plan needs: resolve the file, keep the run's record, look up results. They load no native
 * code and hold no state.
 */
import { activityNames } from '../config/activity-names.js';
import { NightstillError } from '../config/errors.js';
import type { LookupResult, NodeInput, ResolvedPlan, RunEnd, RunStart } from '../config/plan.js';
import {
  addRunStage,
  closeRun,
  lookupResult,
  openObjectStore,
  openRun,
  parseDigest,
  type Json,
  type ObjectStore,
} from '../storage/index.js';
import { withHeartbeat } from './heartbeat.js';
import { resolvePlan, type PlanRules } from './resolve-plan.js';
import { identifyStage } from './stage-key.js';
import { translating } from './translate.js';

export type PlanActivities = ReturnType<typeof createPlanActivities>;

export const createPlanActivities = (rules: PlanRules) => ({
  [activityNames.resolvePlan]: translating((file: unknown): Promise<ResolvedPlan> =>
    Promise.resolve().then(() => resolvePlan(file, rules)),
  ),

  [activityNames.openRun]: translating(({ runId, store, planDigest }: RunStart) =>
    withStore(store, async (opened) => void (await openRun(opened, runId, parseDigest(planDigest)))),
  ),

  /** Names the stage in the run's record first, so that collection spares what the lookup finds. */
  [activityNames.lookup]: translating((input: NodeInput): Promise<LookupResult> =>
    withHeartbeat(async () => {
      const stage = await identifyStage(kindOf(input, rules), input);
      return withStore(input.store, async (store) => {
        await addRunStage(store, input.runId, input.node, stage.stageKey);
        const result = await lookupResult(store, stage.stageKey);
        const found = { ...stage, why: result ? 'recorded' : 'no record', polled: null };
        return result ? { ...found, outputs: result.outcome.outputs } : found;
      });
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
