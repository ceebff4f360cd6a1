/**
 * Divergence from a teacher whose logits of the whole vocabulary are known, at a temperature: p = softmax(z_teacher / T),
 * q = softmax(z_student / T), over the ids that both have.
 */
import { tf } from '../../tf.js';
import { divergenceAndGradient, type Divergence } from './divergence.js';
import type { LossAndGradient } from './loss.js';
import { cutTo, overPrefix } from './shared-prefix.js';

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
  return overPrefix(shared, logits_NV, (logits_NS) => {
    const { values_N, gradient_NC } = divergenceAndGradient(
      divergence,
      logProbabilities(cutTo(shared, teacherLogits_NW), temperature),
      logProbabilities(logits_NS, temperature),
    );
    return { values_N, gradient_NV: tf.div(gradient_NC, temperature), parts: { divergence: values_N } };
  });
}

const logProbabilities = (logits_NV: tf.Tensor2D, temperature: number) =>
  tf.logSoftmax(tf.div<tf.Tensor2D>(logits_NV, temperature));
