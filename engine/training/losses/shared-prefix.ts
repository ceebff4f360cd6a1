/**
 * Models of one family pad their vocabularies differently (151,936 and 152,064 rows for the same tokenizer): a divergence is
 * taken over the ids that both have, over which both are normalised. Logits beyond get no gradient.
 */
import { tf } from '../../tf.js';
import type { LossAndGradient } from './loss.js';

export const cutTo = (shared: number, logits_NV: tf.Tensor2D): tf.Tensor2D =>
  logits_NV.shape[1] === shared ? logits_NV : tf.slice(logits_NV, [0, 0], [-1, shared]);

/** The loss over the first ids, with a gradient of all of them. */
export function overPrefix(
  shared: number,
  logits_NV: tf.Tensor2D,
  loss: (logits_NS: tf.Tensor2D) => LossAndGradient,
): LossAndGradient {
  const { gradient_NV: gradient_NS, ...values } = loss(cutTo(shared, logits_NV));
  const beyond = logits_NV.shape[1] - shared;
  if (beyond === 0) return { ...values, gradient_NV: gradient_NS };
  return {
    ...values,
    gradient_NV: tf.pad(gradient_NS, [
      [0, 0],
      [0, beyond],
    ]),
  };
}
