/**
 * The stage kind `fine-tune`: black box. The student learns the tokens of the answers that the dataset holds. It begins as the
 * model of the input `model`; as some layers of the input `teacher`; or with random weights.
 */
import { fineTuneOptions } from '../config/training-options.js';
import { defineStage } from './define-stage.js';
import { trainingWork } from './training-work.js';

export const fineTuneStage = defineStage({
  kind: 'fine-tune',
  version: 2,
  options: fineTuneOptions,
  /** `heldOut` is never trained on: its loss is measured at the end. */
  inputs: { dataset: 'dataset', model: 'model?', teacher: 'model?', heldOut: 'dataset?' },
  oneInputOf: ({ start }) =>
    start === 'given' ? [['model']] : 'layers' in start ? [['teacher']] : [['model', 'teacher']],
  ...trainingWork,
});
