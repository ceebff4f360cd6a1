/**
 * From one value per token to the loss of a step, divided exactly once: by the number of trained tokens of the whole step,
 * which is an input, so that the losses and the gradients of micro-batches, of accumulation and of several workers simply add.
 */
import { tf } from '../../tf.js';

/**
 * Σ weights·values / globalTokenCount. A token of weight 0 contributes exactly 0 to the value, whatever its own is, and to the
 * gradient where the derivative of its own is finite: its targets must be finite, or −∞ where they are log-probabilities.
 * @param weights_N 1 for a trained token, 0 for prompt and padding; anything between is a weight.
 * @param globalTokenCount Σ weights over ALL micro-batches of the step, above 0.
 */
export function meanOverTokens(
  values_N: tf.Tensor1D,
  weights_N: tf.Tensor1D,
  globalTokenCount: tf.Scalar | number,
): tf.Scalar {
  const counted_N = tf.where(tf.notEqual(weights_N, 0), values_N, 0);
  return tf.div<tf.Scalar>(tf.sum<tf.Scalar>(tf.mul(counted_N, weights_N)), globalTokenCount);
}
