/**
 * The light activities that every plan needs: resolve the file, keep the run's record, look up results. They load no native
 * code; stores that were opened are kept for the next of them.
 */
import { Context } from '@temporalio/activity';
import type { ApprovalQuestion } from '../config/approval.js';
import { activityNames } from '../config/activity-names.js';
import { NightstillError } from '../config/errors.js';
import type { AskInput, LookupResult, NodeInput, ResolvedPlan, RunEnd, RunStart } from '../config/plan.js';
import { closeRun, openRun, parseDigest, type Json } from '../storage/index.js';
import { approvalQuestion } from './ask-approval.js';
import { championsTraining } from './champions-training.js';
import { planOfDay } from './dated-plan.js';
import { withHeartbeat } from './heartbeat.js';
import { lookUpStage } from './lookup.js';
import { whyNothingToDecide } from './nothing-to-decide.js';
import { OpenStores } from './open-stores.js';
import { asksForChampion, placeChampion } from './place-champion.js';
import { isQueueServed } from './queue-served.js';
import { resolvePlan, type PlanRules } from './resolve-plan.js';
import { hasSearchAttributes } from './search-attributes.js';
import { identifyStage } from './stage-key.js';
import { StageNames } from './stage-names.js';
import { translating } from './translate.js';

export type PlanActivities = ReturnType<typeof createPlanActivities>;

export const createPlanActivities = (rules: PlanRules, stores = new OpenStores(), names = new StageNames()) => ({
  [activityNames.resolvePlan]: translating(async (file: unknown): Promise<ResolvedPlan> => {
    const { plan: written, planDigest } = resolvePlan(file, rules);
    const { plan, day } = await planOfDay(written, rules.kinds, stores);
    const placed = asksForChampion(plan, rules.kinds)
      ? await stores.use(plan.store, (store) => placeChampion(plan, rules.kinds, store))
      : plan;
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
        const found = await stores.use(input.store, async (store) => {
          const before = input.fromChampion && (await championsTraining(store, input.fromChampion, identified));
          const result = await lookUpStage(store, kind, input, before ?? identified, names);
          // It was collected meanwhile: what runs now begins with what serves, and is recorded as that.
          return before && !result.outputs ? lookUpStage(store, kind, input, identified, names) : result;
        });
        return found.outputs ? found : { ...found, polled: await isQueueServed(input.queue) };
      }),
    ),
  ),

  [activityNames.askApproval]: translating((input: AskInput): Promise<ApprovalQuestion | null> =>
    stores.use(input.store, (store) => approvalQuestion(store, input)),
  ),

  [activityNames.closeRun]: translating(({ runId, store, outcome }: RunEnd) =>
    stores.use(store, async (opened) => void (await closeRun(opened, runId, toJson(outcome)))),
  ),
});

/** The run waits for the end of a lookup that it has cancelled; a server that does not answer would make that minutes. */
const untilCancelled = <Result>(work: () => Promise<Result>): Promise<Result> =>
  Promise.race([work(), Context.current().cancelled]);

const toJson = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json;

function kindOf({ node, uses }: NodeInput, { kinds }: PlanRules) {
  const kind = kinds.find((known) => known.kind === uses);
  if (kind) return kind;
  throw new NightstillError('plan-invalid', `stage ${node}: expected a kind that this worker knows, found "${uses}"`);
}
