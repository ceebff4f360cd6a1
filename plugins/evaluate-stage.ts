/**
 * The stage kind `evaluate`: a model answers every item of an evaluation set, or a teacher behind an endpoint has answered them, and
 * scorers judge the answers: one result for each weights or answers, set, decoding and scorers. What it scored is never asked again; what changes bits is part of the key.
 */
import type { Stage } from '../activities/stage.js';
import { evaluateOptionsWith, evaluationObservations, scorerVersions } from '../config/evaluate-options.js';
import type { ScorerModule } from '../config/scorer-module.js';
import { computingSilenceLimitsMs, computingWork } from './computing-work.js';
import { defineStage } from './define-stage.js';

/** @param scorers of the user's own, beside those that come along */
export const evaluateStageWith = (scorers?: ScorerModule): Stage =>
  defineStage({
    kind: 'evaluate',
    version: 3,
    options: evaluateOptionsWith(scorers?.versions),
    /** With a teacher, how far the model is from it on the references is measured as well. */
    inputs: { model: 'model', dataset: 'dataset', teacher: 'model?', answers: 'answers?' },
    insteadOf: { answers: 'model' },
    disagreements: (_options, { answers, teacher }) =>
      answers && teacher
        ? [{ option: 'teacher', expected: 'no input teacher beside answers: they have no distributions to compare' }]
        : [],
    /** A line an item, in the order of the dataset. */
    outputs: { scores: 'scores' },
    ...computingWork,
    sources: { database: 'dataset' },
    knownScorers: [...Object.keys(scorerVersions), ...Object.keys(scorers?.versions ?? {})],
    knownObservations: evaluationObservations,
    /** A sample is drawn of the rows that have an answer. */
    needsReference: ({ sample, reference }) => (sample === undefined ? { field: reference } : undefined),
    program: 'evaluator',
    scorers,
    silenceLimitsMs: { ...computingSilenceLimitsMs, diverge: 900_000, evaluate: 900_000 },
  });
