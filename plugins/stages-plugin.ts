/**
 * Temporal plugins that register stages, one plugin a capability: the built-in ones that bring data in, the built-in ones that
 * train, those that measure, those that decide, and a user's own. A worker lists those that it should take part with; the plan's light activities are PlanPlugin's.
 */
import { OpenStores } from '../activities/open-stores.js';
import { createStageActivity } from '../activities/stage-activity.js';
import type { WorkerEnd } from '../activities/worker-end.js';
import type { ChildPrograms, Stage } from '../activities/stage.js';
import type { ScorerModule } from '../config/scorer-module.js';
import type { StageRole } from '../config/queues.js';
import { evaluationStagesWith, importStages, promotionStages, trainingStages } from './built-in-stages.js';
import { allStages } from './check-stages.js';
import { RolePlugin } from './role-plugin.js';

export interface StagesPluginOptions {
  /** What this worker is able to do: only stages that run on it are registered. */
  readonly role: StageRole;
  /** Made by `defineStage`. */
  readonly stages: readonly Stage[];
  /** The programs that stages start: `programs` of `nightstill/workers`. Stages that are functions need none. */
  readonly programs?: ChildPrograms | undefined;
  /** Default: `nightstill`. */
  readonly queuePrefix?: string | undefined;
}

export interface CapabilityPluginOptions {
  /** `programs` of `nightstill/workers`. */
  readonly programs: ChildPrograms;
  /** Default: `nightstill`. */
  readonly queuePrefix?: string | undefined;
}

export interface ScorerOptions {
  /** Scorers of your own: what `loadScorers` of `nightstill/workers` returns. */
  readonly scorers?: ScorerModule | undefined;
}

/**
 * Stages of your own, on a worker of a role.
 * @throws stages-invalid for what is no stage, a kind that is there twice, and a stage whose program is not given
 */
export class StagesPlugin extends RolePlugin {
  constructor(options: StagesPluginOptions) {
    const { role, stages, queuePrefix } = options;
    allStages(stages);
    super({ name: 'StagesPlugin', role, queuePrefix, activities: stageActivities(options) });
  }
}

/** The built-in stages that bring data, models, answers and distributions of endpoints into the store. They run on io workers. */
export class ImportPlugin extends RolePlugin {
  constructor({ programs, queuePrefix }: CapabilityPluginOptions) {
    const activities = stageActivities({ role: 'io', stages: importStages, programs });
    super({ name: 'ImportPlugin', role: 'io', queuePrefix, activities });
  }
}

/** The built-in stages that train, and those by which a model teaches: `fine-tune`, `capture`, `distill`, `answer`. They run on gpu workers, on whatever device those have. */
export class TrainingPlugin extends RolePlugin {
  constructor({ programs, queuePrefix }: CapabilityPluginOptions) {
    const activities = stageActivities({ role: 'gpu', stages: trainingStages, programs });
    super({ name: 'TrainingPlugin', role: 'gpu', queuePrefix, activities });
  }
}

/** The built-in stages that measure: `evaluate`. They run on gpu workers, on whatever device those have. */
export class EvaluationPlugin extends RolePlugin {
  constructor({ programs, queuePrefix, scorers }: CapabilityPluginOptions & ScorerOptions) {
    const activities = stageActivities({ role: 'gpu', stages: evaluationStagesWith(scorers), programs });
    super({ name: 'EvaluationPlugin', role: 'gpu', queuePrefix, activities });
  }
}

/** The built-in stages that decide: `gate` and `promote`. They run on io workers and start no program. */
export class PromotionPlugin extends RolePlugin {
  constructor({ queuePrefix }: Pick<CapabilityPluginOptions, 'queuePrefix'> = {}) {
    const activities = stageActivities({ role: 'io', stages: promotionStages });
    super({ name: 'PromotionPlugin', role: 'io', queuePrefix, activities });
  }
}

type StagesOfRole = Pick<StagesPluginOptions, 'role' | 'stages' | 'programs'>;

/** Activity by name, of those stages that run on this role. */
export function stageActivities({ role, stages, programs }: StagesOfRole): (workerEnd: WorkerEnd) => object {
  const stores = new OpenStores();
  return (workerEnd) =>
    Object.fromEntries(
      stages
        .filter(({ kind }) => kind.roles.includes(role))
        .map((stage) => [stage.kind.activity, createStageActivity(stage, { programs, stores, workerEnd })]),
    );
}
