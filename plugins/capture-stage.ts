/**
 * The stage kind `capture`: the distributions of a teacher over the tokens of a dataset, for a `distill` that learns from them
 * later. The tokens of the dataset are scored; nothing is generated. With the input `student` they are those of its tokenizer and chat
 * template, and the ids those that both models have; without it, those of the teacher.
 */
import { captureOptions } from '../config/training-options.js';
import { computingSilenceLimitsMs, computingWork } from './computing-work.js';
import { defineStage } from './define-stage.js';

export const captureStage = defineStage({
  kind: 'capture',
  version: 3,
  options: captureOptions,
  inputs: { dataset: 'dataset', teacher: 'model', student: 'model?' },
  outputs: { logits: 'logits' },
  ...computingWork,
  program: 'capturer',
  silenceLimitsMs: { ...computingSilenceLimitsMs, capture: 900_000 },
});
