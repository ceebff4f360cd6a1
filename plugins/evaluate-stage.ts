/**
 * The stage kind `evaluate`: a model answers every item of an evaluation set, and scorers judge the answers: one result for each
 * weights, set, decoding and scorers. What it scored is never asked again; what changes bits is part of the key.
 */
import { evaluateOptions } from '../config/evaluate-options.js';
import { computingSilenceLimitsMs, computingWork } from './computing-work.js';
import { defineStage } from './define-stage.js';

export const evaluateStage = defineStage({
  kind: 'evaluate',
  version: 1,
  options: evaluateOptions,
  inputs: { model: 'model', dataset: 'dataset' },
  /** A line an item, in the order of the dataset. */
  outputs: { scores: 'scores' },
  ...computingWork,
  sources: { database: 'dataset' },
  program: 'evaluator',
  silenceLimitsMs: { ...computingSilenceLimitsMs, evaluate: 900_000 },
});
