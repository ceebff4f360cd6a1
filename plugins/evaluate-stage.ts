/**
 * The stage kind `evaluate`: a model answers every item of an evaluation set, and scorers judge the answers: one result for each
 * weights, set, decoding and scorers. What it scored is never asked again; what changes bits is part of the key.
 */
import { evaluateOptions } from '../config/evaluate-options.js';
import { defineStage } from './define-stage.js';

export const evaluateStage = defineStage({
  kind: 'evaluate',
  version: 1,
  options: evaluateOptions,
  inputs: { model: 'model', dataset: 'dataset' },
  /** A line an item, in the order of the dataset. */
  outputs: { scores: 'scores' },
  queue: 'gpu',
  numerics: true,
  sources: { database: 'dataset' },
  immaterial: ['onDifferentMachine'],
  shared: { onDifferentMachine: 'onDifferentMachine' },
  program: 'evaluator',
  silenceLimitsMs: {
    start: 120_000,
    open: 180_000,
    claim: 180_000,
    load: 600_000,
    compile: 600_000,
    restore: 600_000,
    evaluate: 900_000,
    seal: 600_000,
  },
});
