/**
 * What a loss is here: a plain function from logits and targets to one value per token AND the derivative of each value by its
 * own row of logits. Having both at once, nothing of size [tokens, vocabulary] but that derivative outlives the call, and a
 * chunked head can turn chunks of logits into gradients of the weights right away. Nothing is averaged here.
 *
 * N tokens of a packed batch, V vocabulary.
 */
import { restored, withGradient } from '../../kernels/with-gradient.js';
import { tf } from '../../tf.js';

/** Tensors of which row n belongs to token n: any part of a batch is a slice of each. */
export type Targets = Readonly<Record<string, tf.Tensor>>;

export interface LossAndGradient {
  readonly values_N: tf.Tensor1D;
  /** Row n: the derivative of value n by row n of the logits. */
  readonly gradient_NV: tf.Tensor2D;
  /** Summands of the value for reports; they carry no gradient. */
  readonly parts: Readonly<Record<string, tf.Tensor1D>>;
}

export type LogitLoss<T extends Targets> = (logits_NV: tf.Tensor2D, targets: T) => LossAndGradient;

export interface TokenLosses {
  /** Differentiable by the logits. */
  readonly values_N: tf.Tensor1D;
  readonly parts: Readonly<Record<string, tf.Tensor1D>>;
}

/** The loss of every token, unreduced and differentiable by the logits; the targets get no gradient. */
export function tokenLosses<T extends Targets>(loss: LogitLoss<T>, logits_NV: tf.Tensor2D, targets: T): TokenLosses {
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
