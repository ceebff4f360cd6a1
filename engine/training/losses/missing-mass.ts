/**
 * What becomes of the probability that a teacher gave to tokens outside the K that were stored.
 *
 * p are the stored probabilities of the ids K, a = Σ_K p their captured mass, r = 1 − a the missing mass, q the student, and
 * q_rest = 1 − Σ_K q what the student gives to all other tokens. r is an input and not derived from p, whose rounding would
 * make it 0 exactly where the teacher is confident. With D for the divergence:
 *
 * - `tail-bucket`: D over K + 1 symbols, the last being "any other token": (p, r) against (q_K, q_rest). A lower bound of the
 *   divergence over the whole vocabulary, 0 at q = p, unbiased in K; how the rest is distributed is the student's own affair.
 *   Forward KL: Σ_K p·log(p/q) + r·log(r/q_rest).
 * - `truncate`: the terms outside K are left out, nothing is rescaled. Forward KL: Σ_K p·log(p/q). 0 at q = p, but negative
 *   down to a·log a: the optimum is q = p/a on K, a student over-confident by 1/a.
 * - `renormalise`: the teacher is p/a on K and 0 elsewhere. Forward KL: Σ_K (p/a)·log((p/a)/q). Never negative, −log a at
 *   q = p, and the same over-confident optimum.
 * - `residual-to-label`: the teacher is p on K plus r on the label, 0 elsewhere (p′). Forward KL: Σ p′·log(p′/q). Never
 *   negative, 0 at q = p′; at q = p it is 0 only where the label held all the missing mass.
 *
 * Under the last three some tokens have no teacher probability. Reverse KL is infinite there, and leaving those terms out
 * would let the student hide its mass outside K for nothing: it is refused but for `tail-bucket`. JSD stays finite: `truncate`
 * leaves terms out, `renormalise` and `residual-to-label` charge q_rest the log(1/(1−β))·(1−β) that p = 0 means.
 *
 * Source of the comparison: "Sparse logit sampling" (arXiv 2503.16870).
 */
import { NightstillError } from '../../../config/errors.js';
import { tf } from '../../tf.js';
import { canonical, leastLogarithm, type Divergence } from './divergence.js';

export type MissingMass = 'tail-bucket' | 'truncate' | 'renormalise' | 'residual-to-label';

/** @throws training-setting-invalid for a divergence that is infinite or unbounded below under the rule. */
export function checkMissingMass(divergence: Divergence, rule: MissingMass): void {
  if (rule === 'tail-bucket' || canonical(divergence).kind !== 'reverse-kl') return;
  throw new NightstillError(
    'training-setting-invalid',
    `Reverse KL needs a teacher probability for every token, which missing mass rule '${rule}' does not give. ` +
      `Use 'tail-bucket', or forward KL or a JSD with beta below 1.`,
  );
}

/** A missing mass of 0 is read as this: a store that rounded it away must not make a student's rest infinitely wrong. */
const leastMissingMass = 1e-20;

/** Where the teacher has a probability for an id. Any other only fills its place: it is a token of the rest. */
export const isKnown = (logP: tf.Tensor2D): tf.Tensor2D => tf.greater<tf.Tensor2D>(logP, leastLogarithm);

interface StoredTeacher {
  readonly logProbabilities_NK: tf.Tensor2D;
  readonly missingMass_N: tf.Tensor1D;
}

/** log p of the K kept symbols and, last, of the rest: [N, K+1]. `residual-to-label` is not of this form. */
export function teacherSymbols(
  rule: Exclude<MissingMass, 'residual-to-label'>,
  { logProbabilities_NK, missingMass_N }: StoredTeacher,
  vocabularySize: number,
): tf.Tensor2D {
  const [tokens, kept] = logProbabilities_NK.shape;
  const missing_N1 = tf.expandDims<tf.Tensor2D>(missingMass_N, 1);
  const none_N1 = tf.fill<tf.Rank.R2>([tokens, 1], leastLogarithm);
  if (rule === 'tail-bucket') {
    const rest_N1 = tf.log(tf.maximum<tf.Tensor2D>(missing_N1, leastMissingMass));
    if (kept < vocabularySize) return tf.concat([logProbabilities_NK, rest_N1], 1);
    const areAllKnown_N1 = tf.all<tf.Tensor2D>(isKnown(logProbabilities_NK), 1, true);
    return tf.concat([logProbabilities_NK, tf.where<tf.Tensor2D>(areAllKnown_N1, none_N1, rest_N1)], 1);
  }
  if (rule === 'truncate') return tf.concat([logProbabilities_NK, none_N1], 1);
  const logCaptured_N1 = tf.log1p(tf.neg(missing_N1));
  return tf.concat([tf.sub<tf.Tensor2D>(logProbabilities_NK, logCaptured_N1), none_N1], 1);
}

/**
 * log p of the symbols of `residual-to-label`: the K kept ids, then the label, then the rest. Where the label is one of the kept
 * ids, the missing mass is added to that, and the symbol of its own has none.
 */
export function withLabelSymbol(
  { logProbabilities_NK, missingMass_N }: StoredTeacher,
  ids_NK: tf.Tensor2D,
  labels_N: tf.Tensor1D,
): tf.Tensor2D {
  const isLabel_NK = tf.cast<tf.Tensor2D>(tf.equal(ids_NK, tf.expandDims(labels_N, 1)), 'float32');
  const isOwnSymbol_N1 = tf.sub<tf.Tensor2D>(1, tf.max(isLabel_NK, 1, true));
  const missing_N1 = tf.expandDims<tf.Tensor2D>(missingMass_N, 1);
  const kept_NK = tf.add<tf.Tensor2D>(tf.exp(logProbabilities_NK), tf.mul(isLabel_NK, missing_N1));
  const label_N1 = tf.mul<tf.Tensor2D>(isOwnSymbol_N1, missing_N1);
  const none_N1 = tf.zeros<tf.Rank.R2>(label_N1.shape);
  return logarithm(tf.concat([kept_NK, label_N1, none_N1], 1));
}

/** log p, and the least logarithm where p is 0. */
const logarithm = (p: tf.Tensor2D): tf.Tensor2D =>
  tf.where(tf.greater(p, 0), tf.log(tf.maximum(p, 1e-38)), leastLogarithm);
