/**
 * Divergences between a teacher p and a student q, both given as log-probabilities over the same symbols, with the derivative
 * by the logits u of the student (q = softmax(u)). Natural logarithms; one value per row.
 *
 * - forward KL: Σ p·log(p/q). Covers the teacher's modes.   ∂/∂u = q·Σp − p
 * - reverse KL: Σ q·log(q/p). Seeks them.                   ∂/∂u = q·(log(q/p) − value)
 * - generalised JSD, m = β·p + (1−β)·q:  β·Σ p·log(p/m) + (1−β)·Σ q·log(q/m).
 *   With g = (1−β)·log(q/m):                                ∂/∂u = q·(g − Σ q·g)
 *   Orientation of GKD (Agarwal et al. 2024, "On-policy distillation of language models", §3) and of TRL: JSD/β → forward KL
 *   as β → 0, JSD/(1−β) → reverse KL as β → 1. As in TRL, β = 0 and β = 1 ARE forward and reverse KL, whereas the expression
 *   itself tends to 0 there: values just inside differ from those at the ends by the factor β or 1−β.
 *
 * N tokens, C symbols.
 */
import { NightstillError } from '../../../config/errors.js';
import { tf } from '../../tf.js';

export type Divergence =
  | { readonly kind: 'forward-kl' }
  | { readonly kind: 'reverse-kl' }
  | { readonly kind: 'jensen-shannon'; /** Share of the teacher in the mixture, 0 … 1. */ readonly beta: number };

/** Forward and reverse KL under their own name: a JSD at an end of its range becomes what it stands for there. */
export function canonical(divergence: Divergence): Divergence {
  if (divergence.kind !== 'jensen-shannon') return divergence;
  const { beta } = divergence;
  if (!(beta >= 0 && beta <= 1))
    throw new NightstillError('training-setting-invalid', `beta must be between 0 and 1, not ${beta}.`);
  if (beta === 0) return { kind: 'forward-kl' };
  return beta === 1 ? { kind: 'reverse-kl' } : divergence;
}

export interface DivergenceAndGradient {
  readonly values_N: tf.Tensor1D;
  /** By the logits of the student, over the same symbols. */
  readonly gradient_NC: tf.Tensor2D;
}

/**
 * Below every log-probability of a model, and finite: 0·log 0 is 0 and not NaN.
 */
export const leastLogarithm = -1e30;

/**
 * @param teacher_NC log p; −∞ stands for p = 0. p may sum to less than 1: what is missing is then missing in the sums, too.
 * @param student_NC log q, normalised.
 * @param counted_1C the symbols that the sums run over, 1 or 0; all when absent.
 */
export function divergenceAndGradient(
  divergence: Divergence,
  teacher_NC: tf.Tensor2D,
  student_NC: tf.Tensor2D,
  counted_1C?: tf.Tensor2D,
): DivergenceAndGradient {
  const chosen = canonical(divergence);
  const logP_NC = tf.maximum<tf.Tensor2D>(teacher_NC, leastLogarithm);
  const p_NC = tf.exp(logP_NC);
  const q_NC = tf.exp(student_NC);
  switch (chosen.kind) {
    case 'forward-kl':
      return forward(logP_NC, student_NC, p_NC, q_NC);
    case 'reverse-kl':
      return reverse(logP_NC, student_NC, q_NC);
    case 'jensen-shannon':
      return jensenShannon(chosen.beta, { logP_NC, logQ_NC: student_NC, p_NC, q_NC }, counted_1C);
  }
}

function forward(
  logP_NC: tf.Tensor2D,
  logQ_NC: tf.Tensor2D,
  p_NC: tf.Tensor2D,
  q_NC: tf.Tensor2D,
): DivergenceAndGradient {
  return {
    values_N: tf.sum<tf.Tensor1D>(tf.mul(p_NC, tf.sub(logP_NC, logQ_NC)), 1),
    gradient_NC: tf.sub(tf.mul(q_NC, tf.sum(p_NC, 1, true)), p_NC),
  };
}

function reverse(logP_NC: tf.Tensor2D, logQ_NC: tf.Tensor2D, q_NC: tf.Tensor2D): DivergenceAndGradient {
  const ratio_NC = tf.sub<tf.Tensor2D>(logQ_NC, logP_NC);
  const values_N1 = tf.sum<tf.Tensor2D>(tf.mul(q_NC, ratio_NC), 1, true);
  return { values_N: tf.squeeze(values_N1, [1]), gradient_NC: tf.mul(q_NC, tf.sub(ratio_NC, values_N1)) };
}

interface Distributions {
  readonly logP_NC: tf.Tensor2D;
  readonly logQ_NC: tf.Tensor2D;
  readonly p_NC: tf.Tensor2D;
  readonly q_NC: tf.Tensor2D;
}

function jensenShannon(
  beta: number,
  { logP_NC, logQ_NC, p_NC, q_NC }: Distributions,
  counted_1C?: tf.Tensor2D,
): DivergenceAndGradient {
  const logMixture_NC = logSum(tf.add(logP_NC, Math.log(beta)), tf.add(logQ_NC, Math.log1p(-beta)));
  const ofTeacher_NC = tf.mul(tf.mul(p_NC, beta), tf.sub(logP_NC, logMixture_NC));
  const all_NC = tf.mul(tf.sub(logQ_NC, logMixture_NC), 1 - beta);
  const slope_NC = counted_1C === undefined ? all_NC : tf.mul(all_NC, counted_1C);
  const ofStudent_NC = tf.mul(q_NC, slope_NC);
  const ofTeacherCounted_NC = counted_1C === undefined ? ofTeacher_NC : tf.mul(ofTeacher_NC, counted_1C);
  const studentSum_N1 = tf.sum<tf.Tensor2D>(ofStudent_NC, 1, true);
  return {
    values_N: tf.sum<tf.Tensor1D>(tf.add(ofTeacherCounted_NC, ofStudent_NC), 1),
    gradient_NC: tf.mul(q_NC, tf.sub(slope_NC, studentSum_N1)),
  };
}

/** log(eᵃ + eᵇ) */
function logSum(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.add(tf.maximum(a, b), tf.log1p(tf.exp(tf.neg(tf.abs(tf.sub(a, b))))));
}
