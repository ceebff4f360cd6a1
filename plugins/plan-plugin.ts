/**
 * The Temporal plugin of the light activities: resolve a plan, keep the run's record, look results up. They belong on the worker
 * that polls the workflows. They load no native code, and know of every stage only its kind.
 */
import { createPlanActivities } from '../activities/plan-activities.js';
import type { Stage } from '../activities/stage.js';
import type { ScorerModule } from '../config/scorer-module.js';
import { defaultQueuePrefix } from '../config/queues.js';
import { allStages } from './check-stages.js';
import { RolePlugin } from './role-plugin.js';

export interface PlanPluginOptions {
  /** Stages of your own that a plan may use, beside the built-in ones: the same list on every worker. */
  readonly stages?: readonly Stage[] | undefined;
  /** Scorers of your own that a plan may name: what `loadScorers` of `nightstill/workers` returns. */
  readonly scorers?: ScorerModule | undefined;
  /** Default: `nightstill`. */
  readonly queuePrefix?: string | undefined;
}

/** @throws stages-invalid */
export class PlanPlugin extends RolePlugin {
  constructor(options: PlanPluginOptions = {}) {
    const { queuePrefix } = options;
    super({ name: 'PlanPlugin', role: 'orchestrator', queuePrefix, activities: () => planActivities(options) });
  }
}

/** Activity by name. */
export const planActivities = ({ stages = [], scorers, queuePrefix = defaultQueuePrefix }: PlanPluginOptions): object =>
  createPlanActivities({ kinds: allStages(stages, { scorers }).map(({ kind }) => kind), queuePrefix });
