/**
 * Divergence from a teacher of whom K ids with their log-probabilities are known. The vocabulary falls into K + 1 symbols, the
 * kept ids and "the rest"; the loss is a function of the student's K + 1 symbol logits (for the rest: log Σ exp of its logits,
 * over the logits themselves, not 1 − Σ q, which is lost to rounding exactly where a teacher is confident). Its derivative by
 * the logit of a token in the rest is that of the rest times the token's share in it. So whatever the divergence, what is of
 * size [N, V] is one softmax, and the rule for the missing mass is a matter of [N, K+1].
 *
 * N tokens, K kept ids, V vocabulary, C = K + 1 symbols (K + 2 under residual-to-label).
 */
import { tf } from '../../tf.js';
import { divergenceAndGradient, leastLogarithm, type Divergence } from './divergence.js';
import type { LossAndGradient } from './loss.js';
import { isKnown, teacherSymbols, withLabelSymbol, type MissingMass } from './missing-mass.js';
import { entryPositions, placeEntries, readEntries } from './row-entries.js';

export interface TopKTeacherTargets {
  /** int32, below the student's vocabulary size, no id twice in a row. */
  readonly ids_NK: tf.Tensor2D;
  /**
   * Of the teacher AT THE TEMPERATURE of the loss, over its whole vocabulary. −∞: this id only fills a place, and is a token of the
   * rest.
   */
  readonly logProbabilities_NK: tf.Tensor2D;
  /** 1 − Σ exp(logProbabilities) of each row, 0 … 1 (1 excluded), computed in double precision where the logits were. */
  readonly missingMass_N: tf.Tensor1D;
  /** int32; read under residual-to-label only. */
  readonly labels_N: tf.Tensor1D;
  readonly [name: string]: tf.Tensor;
}

export interface TopKDivergence {
  readonly divergence: Divergence;
  readonly temperature: number;
  readonly missingMass: MissingMass;
}

/** The divergence itself, without the factor T²; the gradient is by the student's logits before the temperature. */
export function topKDivergence(
  { divergence, temperature, missingMass }: TopKDivergence,
  logits_NV: tf.Tensor2D,
  targets: TopKTeacherTargets,
): LossAndGradient {
  const scaled_NV = tf.div<tf.Tensor2D>(logits_NV, temperature);
  const symbols =
    missingMass === 'residual-to-label' ? labelled(targets) : unlabelled(missingMass, targets, logits_NV.shape[1]);
  const student = studentSymbols(scaled_NV, symbols);
  const { values_N, gradient_NC } = divergenceAndGradient(
    divergence,
    symbols.teacher_NC,
    tf.logSoftmax(student.logits_NC),
    missingMass === 'truncate' ? allButLast(symbols.teacher_NC.shape[1]) : undefined,
  );
  const last = gradient_NC.shape[1] - 1;
  const ofRest_N1 = tf.slice(gradient_NC, [0, last], [-1, 1]);
  const ofKept_NK = tf.slice(gradient_NC, [0, 0], [-1, last]);
  const gradient_NV = tf.add<tf.Tensor2D>(
    tf.mul(student.shareInRest_NV, ofRest_N1),
    placeEntries(ofKept_NK, student.positions, logits_NV.shape[1]),
  );
  return { values_N, gradient_NV: tf.div(gradient_NV, temperature), parts: { divergence: values_N } };
}

interface Symbols {
  /** The ids that are a symbol of their own. */
  readonly ids_NK: tf.Tensor2D;
  /** log p of these, and last of the rest. */
  readonly teacher_NC: tf.Tensor2D;
}

const unlabelled = (
  rule: Exclude<MissingMass, 'residual-to-label'>,
  targets: TopKTeacherTargets,
  vocabularySize: number,
): Symbols => ({ ids_NK: targets.ids_NK, teacher_NC: teacherSymbols(rule, targets, vocabularySize) });

const labelled = (targets: TopKTeacherTargets): Symbols => ({
  ids_NK: tf.concat([targets.ids_NK, tf.expandDims<tf.Tensor2D>(targets.labels_N, 1)], 1),
  teacher_NC: withLabelSymbol(targets, targets.ids_NK, targets.labels_N),
});

/** An id of which the teacher says nothing has no symbol of its own: its logit here is the least there is, and the rest has it. */
function studentSymbols(scaled_NV: tf.Tensor2D, { ids_NK, teacher_NC }: Symbols) {
  const positions = entryPositions(ids_NK);
  const isKnown_NK = isKnown(tf.slice(teacher_NC, [0, 0], [-1, ids_NK.shape[1]]));
  const known_NK = tf.where<tf.Tensor2D>(isKnown_NK, readEntries(scaled_NV, positions), leastLogarithm);
  const excluded_NK = tf.mul<tf.Tensor2D>(tf.cast(isKnown_NK, 'float32'), leastLogarithm);
  const rest_NV = tf.add<tf.Tensor2D>(scaled_NV, placeEntries(excluded_NK, positions, scaled_NV.shape[1]));
  const greatest_N1 = tf.max<tf.Tensor2D>(rest_NV, 1, true);
  const exponentials_NV = tf.exp<tf.Tensor2D>(tf.sub(rest_NV, greatest_N1));
  const sums_N1 = tf.sum<tf.Tensor2D>(exponentials_NV, 1, true);
  const rest_N1 = tf.add<tf.Tensor2D>(greatest_N1, tf.log(sums_N1));
  return {
    positions,
    logits_NC: tf.concat([known_NK, rest_N1], 1),
    shareInRest_NV: tf.div<tf.Tensor2D>(exponentials_NV, sums_N1),
  };
}

const allButLast = (symbols: number): tf.Tensor2D =>
  tf.tensor2d([...Array.from({ length: symbols - 1 }, () => 1), 0], [1, symbols]);
