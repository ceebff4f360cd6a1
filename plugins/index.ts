/** What a worker lists: `nightstill`. */
export { DistillationPlugin, type DistillationPluginOptions } from './distillation-plugin.js';
export { PlanPlugin, type PlanPluginOptions } from './plan-plugin.js';
export {
  EvaluationPlugin,
  ImportPlugin,
  PromotionPlugin,
  StagesPlugin,
  TrainingPlugin,
  type CapabilityPluginOptions,
  type ScorerOptions,
  type StagesPluginOptions,
} from './stages-plugin.js';
export { defineStage, type StageDefinition } from './define-stage.js';
export { allStages } from './check-stages.js';
export type { ScorerModule } from '../config/scorer-module.js';
export type { ChildPrograms, Stage, StageContext, StageProduct } from '../activities/stage.js';
export { NightstillError } from '../config/errors.js';
export type { FailureCode } from '../config/failures.js';
