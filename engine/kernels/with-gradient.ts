/**
 * `tf.customGrad` with types, for functions whose own backward pass is shorter than the one tfjs would put together. Everything
 * inside runs off the tape; temporary tensors of both passes are freed on return.
 */
import { tf } from '../tf.js';

interface Differentiated {
  readonly value: tf.Tensor;
  /** What `gradients` needs again; kept until then. */
  readonly saved: readonly tf.Tensor[];
  /** One gradient for each input, of the input's shape. */
  readonly gradients: (dy: tf.Tensor, saved: readonly tf.Tensor[]) => tf.Tensor[];
}

/**
 * Runs `compute` and differentiates its value by the inputs as it says; other tensors that it uses get no gradient. Whatever
 * `gradients` reads must be in `saved`: other tensors of the forward pass may be gone by then.
 */
export function withGradient<Rank extends tf.Rank>(
  inputs: readonly tf.Tensor[],
  compute: () => Differentiated,
): tf.Tensor<Rank> {
  const call = tf.customGrad((...received) => {
    const { value, saved, gradients } = compute();
    const save = received.at(-1);
    if (typeof save === 'function') save([...saved]);
    return { value, gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => tf.tidy(() => gradients(dy, kept)) };
  });
  return call(...inputs) as tf.Tensor<Rank>; // tfjs knows the rank of no custom gradient
}

/** A saved tensor that must be there: as many come back as were saved. */
export function restored<Rank extends tf.Rank>(saved: readonly tf.Tensor[], index: number): tf.Tensor<Rank> {
  const tensor = saved[index];
  if (tensor === undefined) throw new TypeError(`Expected a saved tensor at ${index}.`);
  return tensor as tf.Tensor<Rank>; // of the rank it was saved with, which tfjs forgets
}
