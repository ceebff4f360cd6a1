/**
 * What a loss is here: a plain function from logits and targets to one value per token AND the derivative of each value by its
 * own row of logits. Having both at once, nothing of size [tokens, vocabulary] but that derivative outlives the call, and a
 * chunked head can turn chunks of logits into gradients of the weights right away. Nothing is averaged here.
 *
 * N tokens of a packed batch, V vocabulary.
 */
import type { tf } from '../../tf.js';

/** Tensors of which row n belongs to token n: any part of a batch is a slice of each. */
export type Targets = Readonly<Record<string, tf.Tensor>>;

export interface LossAndGradient {
  readonly values_N: tf.Tensor1D;
  /** Row n: the derivative of value n by row n of the logits. */
  readonly gradient_NV: tf.Tensor2D;
  /** Terms of the value for reports, each without its weight in it; they carry no gradient. */
  readonly parts: Readonly<Record<string, tf.Tensor1D>>;
}

export type LogitLoss<T extends Targets> = (logits_NV: tf.Tensor2D, targets: T) => LossAndGradient;

/** Tensors kept inside a custom gradient become ordinary tensors of the caller's scope. */
export function handedOver<T extends tf.Tensor>(kept: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(kept).map(([name, tensor]) => {
      const handed = tensor.clone();
      tensor.dispose();
      return [name, handed];
    }),
  );
}
