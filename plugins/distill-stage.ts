/**
 * The stage kind `distill`: white box. The student learns α·cross-entropy + (1−α)·T²·divergence from the distributions of a
 * teacher: computed along by the engine (input `teacher`), or captured before (input `logits`); one of the two is needed.
 */
import type { JsonObject } from '../config/json.js';
import type { Disagreement } from '../config/stage-kind.js';
import { distillOptions, type DistillOptions } from '../config/training-options.js';
import { defineStage } from './define-stage.js';
import { trainingWork } from './training-work.js';

export const distillStage = defineStage({
  kind: 'distill',
  version: 2,
  options: distillOptions,
  inputs: { dataset: 'dataset', model: 'model', teacher: 'model?', logits: 'logits?', heldOut: 'dataset?' },
  oneInputOf: () => [['teacher', 'logits']],
  disagreements: (options, { logits }) =>
    logits === undefined ? withoutCaptured(options) : unlikeCaptured(options, logits),
  ...trainingWork,
});

/** Captured logits are found by the tokens of a row: options that change tokens must agree, and the temperature must be a captured one. */
function unlikeCaptured(options: DistillOptions, captured: JsonObject): Disagreement[] {
  const others = (['rowTokens', 'tooLong', 'answers'] as const)
    .filter((option) => captured[option] !== undefined && captured[option] !== options[option])
    .map((option) => ({ option, expected: `${JSON.stringify(captured[option])}, as the logits are captured with` }));
  const { temperatures } = captured;
  if (!Array.isArray(temperatures) || temperatures.includes(options.temperature)) return others;
  return [...others, { option: 'temperature', expected: `one that is captured: ${temperatures.join(', ')}` }];
}

/** A teacher that computes along gives whole distributions: a rule for what is missing would change the stage key and nothing else. */
const withoutCaptured = ({ missingMass }: DistillOptions): Disagreement[] =>
  missingMass === 'tail-bucket'
    ? []
    : [{ option: 'missingMass', expected: 'none beside the input teacher, of whose distributions nothing is missing' }];
