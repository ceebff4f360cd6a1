/**
 * Cross-entropy against one label per token: −log softmax(logits)[label]. Computed from logits with the maximum taken off
 * first, so logits of ±10,000 are fine; labels are int32, so vocabularies of 18 bits are exact; no one-hot matrix is stored.
 */
import { sparseCrossEntropyWithGradient } from '../../kernels/sparse-cross-entropy.js';
import type { tf } from '../../tf.js';
import type { LossAndGradient } from './loss.js';

export interface LabelTargets {
  /** int32 ids of 0 … V−1, of masked tokens too: a mask is a weight of 0, not a special label. */
  readonly labels_N: tf.Tensor1D;
  readonly [name: string]: tf.Tensor;
}

/** The value and softmax(logits) − onehot(label). */
export function crossEntropy(logits_NV: tf.Tensor2D, { labels_N }: LabelTargets): LossAndGradient {
  const { loss_N, gradient_NV } = sparseCrossEntropyWithGradient(logits_NV, labels_N);
  return { values_N: loss_N, gradient_NV, parts: { crossEntropy: loss_N } };
}
