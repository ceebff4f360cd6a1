/**
 * Divergence from a teacher whose logits of the whole vocabulary are known, at a temperature: p = softmax(z_teacher / T),
 * q = softmax(z_student / T). Models of one family pad their vocabularies differently (151,936 and 152,064 rows for the same
 * tokenizer): both are cut to the shared prefix, over which both are normalised; logits beyond it get no gradient.
 */
import { tf } from '../../tf.js';
import { divergenceAndGradient, type Divergence } from './divergence.js';
import type { LossAndGradient } from './loss.js';

export interface DenseTeacherTargets {
  /** Raw logits of the teacher (before any temperature) for the same tokens, finite or −∞. */
  readonly teacherLogits_NW: tf.Tensor2D;
  readonly [name: string]: tf.Tensor;
}

/** The divergence itself, without the factor T²; the gradient is by the student's logits before the temperature. */
export function denseDivergence(
  divergence: Divergence,
  temperature: number,
  logits_NV: tf.Tensor2D,
  { teacherLogits_NW }: DenseTeacherTargets,
): LossAndGradient {
  const shared = Math.min(logits_NV.shape[1], teacherLogits_NW.shape[1]);
  const { values_N, gradient_NC } = divergenceAndGradient(
    divergence,
    logProbabilities(cut(teacherLogits_NW, shared), temperature),
    logProbabilities(cut(logits_NV, shared), temperature),
  );
  const gradient_NS = tf.div<tf.Tensor2D>(gradient_NC, temperature);
  const beyond = logits_NV.shape[1] - shared;
  return {
    values_N,
    gradient_NV:
      beyond === 0
        ? gradient_NS
        : tf.pad(gradient_NS, [
            [0, 0],
            [0, beyond],
          ]),
    parts: { divergence: values_N },
  };
}

const cut = (logits_NV: tf.Tensor2D, width: number) =>
  logits_NV.shape[1] === width ? logits_NV : tf.slice(logits_NV, [0, 0], [-1, width]);

const logProbabilities = (logits_NV: tf.Tensor2D, temperature: number) =>
  tf.logSoftmax(tf.div<tf.Tensor2D>(logits_NV, temperature));
