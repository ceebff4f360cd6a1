/** Losses of whole batches on the tape: what the chunked head of a training step, which never has such a batch, is compared with. */
import { sparseCrossEntropyWithGradient } from '../../engine/kernels/sparse-cross-entropy.js';
import { restored, withGradient } from '../../engine/kernels/with-gradient.js';
import { tf } from '../../engine/tf.js';
import { handedOver, type LogitLoss, type LossAndGradient, type Targets } from '../../engine/training/losses/loss.js';

/** The loss of every token, unreduced and differentiable by the logits; the targets get no gradient. */
export function tokenLosses<T extends Targets>(
  loss: LogitLoss<T>,
  logits_NV: tf.Tensor2D,
  targets: T,
): Pick<LossAndGradient, 'values_N' | 'parts'> {
  const kept: Record<string, tf.Tensor1D> = {};
  const values_N = withGradient<tf.Rank.R1>([logits_NV], () => {
    const { values_N: values, gradient_NV, parts } = loss(logits_NV, targets);
    for (const [name, part] of Object.entries(parts)) kept[name] = tf.keep(part.clone());
    return {
      value: values,
      saved: [gradient_NV],
      gradients: (dy_N, saved) => [tf.mul(restored(saved, 0), tf.expandDims(dy_N, 1))],
    };
  });
  return { values_N, parts: handedOver(kept) };
}

/**
 * −log softmax(logits)[label], row by row.
 * @param logits_NV float32
 * @param labels_N int32, each in [0, V)
 */
export function sparseCrossEntropy(logits_NV: tf.Tensor2D, labels_N: tf.Tensor1D): tf.Tensor1D {
  return withGradient<tf.Rank.R1>([logits_NV], () => {
    const { loss_N, gradient_NV } = sparseCrossEntropyWithGradient(logits_NV, labels_N);
    return {
      value: loss_N,
      saved: [gradient_NV],
      gradients: (dy_N, saved) => [tf.mul(restored(saved, 0), tf.expandDims(dy_N, 1))],
    };
  });
}
