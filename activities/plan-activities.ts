/**
 * The light activities that every plan needs: resolve the file, keep the run's record, look up results. They load no native
 * code, and share the stores that they open.
 */
import { Context } from '@temporalio/activity';
import type { ApprovalQuestion } from '../config/approval.js';
import { activityNames } from '../config/activity-names.js';
import { NightstillError } from '../config/errors.js';
import type {
  AskInput,
  LookupResult,
  NodeInput,
  ResolvedPlan,
  RunEnd,
  RunStart,
  StageIdentity,
} from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { closeRun, openRun, parseDigest, type ObjectStore } from '../storage/index.js';
import { asJson } from './as-json.js';
import { approvalQuestion } from './ask-approval.js';
import { championsTraining } from './champions-training.js';
import { planOfDay } from './dated-plan.js';
import { withHeartbeat } from './heartbeat.js';
import { lookUpStage } from './lookup.js';
import { whyNothingToDecide } from './nothing-to-decide.js';
import { OpenStores } from './open-stores.js';
import { asksForChampion, placeChampion } from './place-champion.js';
import { refuseUndecidable } from './plan-margins.js';
import { resolvePlan, type PlanRules } from './resolve-plan.js';
import { hasSearchAttributes } from './search-attributes.js';
import { identifyStage } from './stage-key.js';
import { StageNames } from './stage-names.js';
import { stageBefore, standingRefusal, type StandingRefusal } from './standing-refusal.js';
import { translating } from './translate.js';
import { createQueueWatch } from './watch-queues.js';

export type PlanActivities = ReturnType<typeof createPlanActivities>;

export const createPlanActivities = (rules: PlanRules, stores = new OpenStores(), names = new StageNames()) => ({
  [activityNames.resolvePlan]: translating(async (file: unknown): Promise<ResolvedPlan> => {
    const { plan: written, planDigest } = resolvePlan(file, rules);
    const { plan, day } = await planOfDay(written, rules.kinds, stores);
    const placed = asksForChampion(plan, rules.kinds)
      ? await stores.use(plan.store, (store) => placeChampion(plan, rules.kinds, store))
      : plan;
    await refuseUndecidable(placed, rules.kinds);
    return { plan: placed, planDigest, ...(day !== undefined && { day }), searchable: await hasSearchAttributes() };
  }),

  [activityNames.openRun]: translating(({ runId, plan, store, planDigest, day }: RunStart) =>
    stores.use(
      store,
      async (opened) => void (await openRun(opened, { id: runId, plan, planDigest: parseDigest(planDigest), day })),
    ),
  ),

  [activityNames.lookup]: translating((input: NodeInput): Promise<LookupResult> =>
    withHeartbeat(undefined, () =>
      untilCancelled(async () => {
        const kind = kindOf(input, rules);
        const nothing = await stores.use(input.store, (store) => whyNothingToDecide(store, kind, input));
        if (nothing !== undefined) return { unchanged: true, why: nothing };
        const identified = await identifyStage(kind, input);
        return stores.use(input.store, async (store) => {
          const before = await workOfBefore(store, kind, input, identified);
          const result = await lookUpStage(store, kind, input, before ?? identified, names);
          // That result was collected meanwhile: the stage runs, under its own key.
          if (before && !result.outputs) return lookUpStage(store, kind, input, identified, names);
          return { ...result, ...(before?.why !== undefined && { why: before.why }) };
        });
      }),
    ),
  ),

  [activityNames.askApproval]: translating(async (input: AskInput): Promise<ApprovalQuestion | null> => {
    const kind = kindOf(input, rules);
    const identified = await identifyStage(kind, input);
    return stores.use(input.store, async (store) =>
      (await refusalOfBefore(store, kind, input, identified)) ? null : approvalQuestion(store, input),
    );
  }),

  [activityNames.watchQueues]: createQueueWatch(),

  [activityNames.closeRun]: translating(({ runId, store, outcome }: RunEnd) =>
    stores.use(store, async (opened) => void (await closeRun(opened, runId, asJson(outcome)))),
  ),
});

/** A cancelled run waits for the end of its lookups: a store or a data server that does not answer must not keep it for minutes. */
const untilCancelled = <Result>(work: () => Promise<Result>): Promise<Result> =>
  Promise.race([work(), Context.current().cancelled]);

/** A stage with another key whose recorded result stands for this one too. */
async function workOfBefore(
  store: ObjectStore,
  kind: StageKind,
  input: NodeInput,
  identified: StageIdentity,
): Promise<(StageIdentity & { readonly why?: string }) | undefined> {
  if (input.fromChampion) return championsTraining(store, input.fromChampion, identified);
  // Once a person has decided, an earlier refusal does not stand.
  return input.decision ? undefined : refusalOfBefore(store, kind, input, identified);
}

async function refusalOfBefore(
  store: ObjectStore,
  kind: StageKind,
  { runId, node, inputs }: NodeInput,
  { preimage }: StageIdentity,
): Promise<StandingRefusal | undefined> {
  if (kind.refusesBy === undefined) return undefined;
  const before = await stageBefore(store, runId, node);
  return standingRefusal(store, { kind, inputs, preimage, before });
}

function kindOf({ node, uses }: NodeInput, { kinds }: PlanRules) {
  const kind = kinds.find((known) => known.kind === uses);
  if (kind) return kind;
  throw new NightstillError('plan-invalid', `stage ${node}: expected a kind that this worker knows, found "${uses}"`);
}
