/** What a worker lists: `nightstill`. */
export { DistillationPlugin, type DistillationPluginOptions } from './distillation-plugin.js';
export { defineStage, type StageDefinition } from './define-stage.js';
export type { Stage, StageContext, StageProduct } from '../activities/stage.js';
