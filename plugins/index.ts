/** What a worker lists: `nightstill`. */
export { DistillationPlugin, type DistillationPluginOptions } from './distillation-plugin.js';
