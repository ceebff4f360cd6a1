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
import { teacherSymbols, withLabelSymbol, type MissingMass } from './missing-mass.js';
import { entryPositions, placeEntries, readEntries } from './row-entries.js';

export interface TopKTeacherTargets {
  /** int32, below the student's vocabulary size, no id twice in a row. */
  readonly ids_NK: tf.Tensor2D;
  /** Of the teacher AT THE TEMPERATURE of the loss, over its whole vocabulary; −∞ stands for probability 0. */
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
  readonly teacher_NC: tf.Tensor2D;
  /** 0 where the last of the ids stands there already and is to be passed over. */
  readonly lastPresent_N1?: tf.Tensor2D;
}

const unlabelled = (
  rule: Exclude<MissingMass, 'residual-to-label'>,
  targets: TopKTeacherTargets,
  vocabularySize: number,
): Symbols => ({ ids_NK: targets.ids_NK, teacher_NC: teacherSymbols(rule, targets, vocabularySize) });

function labelled(targets: TopKTeacherTargets): Symbols {
  const { teacher_NC, present_N1 } = withLabelSymbol(targets, targets.ids_NK, targets.labels_N);
  const ids_NK = tf.concat([targets.ids_NK, tf.expandDims<tf.Tensor2D>(targets.labels_N, 1)], 1);
  return { ids_NK, teacher_NC, lastPresent_N1: present_N1 };
}

function studentSymbols(scaled_NV: tf.Tensor2D, { ids_NK, lastPresent_N1 }: Symbols) {
  const positions = entryPositions(ids_NK);
  const read_NK = readEntries(scaled_NV, positions);
  const kept_NK = lastPresent_N1 === undefined ? read_NK : withoutAbsent(read_NK, lastPresent_N1);
  const excluded_NV = placeEntries(tf.fill(ids_NK.shape, leastLogarithm), positions, scaled_NV.shape[1]);
  const rest_NV = tf.add<tf.Tensor2D>(scaled_NV, excluded_NV);
  const greatest_N1 = tf.max<tf.Tensor2D>(rest_NV, 1, true);
  const exponentials_NV = tf.exp<tf.Tensor2D>(tf.sub(rest_NV, greatest_N1));
  const sums_N1 = tf.sum<tf.Tensor2D>(exponentials_NV, 1, true);
  const rest_N1 = tf.add<tf.Tensor2D>(greatest_N1, tf.log(sums_N1));
  return {
    positions,
    logits_NC: tf.concat([kept_NK, rest_N1], 1),
    shareInRest_NV: tf.div<tf.Tensor2D>(exponentials_NV, sums_N1),
  };
}

/** A symbol that is absent has no probability: its logit is the least there is. */
function withoutAbsent(logits_NK: tf.Tensor2D, lastPresent_N1: tf.Tensor2D): tf.Tensor2D {
  const others = logits_NK.shape[1] - 1;
  const last_N1 = tf.slice(logits_NK, [0, others], [-1, 1]);
  const shown_N1 = tf.where<tf.Tensor2D>(tf.greater(lastPresent_N1, 0), last_N1, leastLogarithm);
  return tf.concat([tf.slice(logits_NK, [0, 0], [-1, others]), shown_N1], 1);
}

const allButLast = (symbols: number): tf.Tensor2D =>
  tf.tensor2d([...Array.from({ length: symbols - 1 }, () => 1), 0], [1, symbols]);
