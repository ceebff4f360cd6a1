/**
 * The stage kind `distill`: white box. The student learns α·cross-entropy + (1−α)·T²·divergence from the distributions of a
 * teacher: computed along by the engine (input `teacher`), or captured before (input `logits`); one of the two is needed.
 */
import { distillOptions } from '../config/training-options.js';
import { defineStage } from './define-stage.js';
import { trainingWork } from './training-work.js';

export const distillStage = defineStage({
  kind: 'distill',
  version: 1,
  options: distillOptions,
  inputs: { dataset: 'dataset', model: 'model', teacher: 'model?', logits: 'logits?', heldOut: 'dataset?' },
  oneInputOf: () => [['teacher', 'logits']],
  ...trainingWork,
});
