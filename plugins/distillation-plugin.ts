/**
 * The Temporal plugin that a worker lists to take part in runs with all that its role can do: PlanPlugin for an orchestrator;
 * ImportPlugin, TrainingPlugin, EvaluationPlugin, PromotionPlugin and StagesPlugin for the others. It opens no connection, sets no
 * workflowsPath, and leaves everything that the user has configured as it is. The user's own file exports the workflows:
 * `export { distill, nightly } from 'nightstill/workflow'`. Pass the plugin in one place: to the connection or to the worker.
 */
import type { ChildPrograms, Stage } from '../activities/stage.js';
import type { StageRole } from '../config/queues.js';
import type { ScorerModule } from '../config/scorer-module.js';
import { allStages } from './check-stages.js';
import { planActivities } from './plan-plugin.js';
import { RolePlugin } from './role-plugin.js';
import { stageActivities } from './stages-plugin.js';

interface AnyRoleOptions {
  /** Stages of your own, beside the built-in ones: the same list on every worker. */
  readonly stages?: readonly Stage[] | undefined;
  /** Scorers of your own, beside the built-in ones: what `loadScorers` of `nightstill/workers` returns, of the same module on every worker. */
  readonly scorers?: ScorerModule | undefined;
  /** Default: `nightstill`. */
  readonly queuePrefix?: string | undefined;
}

export type DistillationPluginOptions = AnyRoleOptions &
  (
    | { readonly role: 'orchestrator'; readonly programs?: ChildPrograms | undefined }
    | {
        /** What this worker is able to do. */
        readonly role: StageRole;
        /** The programs that stages start: `programs` of `nightstill/workers`. */
        readonly programs: ChildPrograms;
      }
  );

/** @throws stages-invalid */
export class DistillationPlugin extends RolePlugin {
  constructor(options: DistillationPluginOptions) {
    const { role, stages = [], scorers, programs, queuePrefix } = options;
    const activities =
      role === 'orchestrator'
        ? () => planActivities(options)
        : stageActivities({ role, stages: allStages(stages, { scorers }), programs });
    super({ name: 'DistillationPlugin', role, queuePrefix, activities });
  }
}
