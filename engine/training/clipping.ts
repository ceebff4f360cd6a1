/** Clipping by the global norm, on device: no value is read, and the scale is applied where the gradients are used. */
import { tf } from '../tf.js';

/** The Euclidean norm of all gradients together; not finite as soon as one of their numbers is not (or overflows squared). */
export function globalNorm(gradients: Readonly<Record<string, tf.Tensor>>): tf.Scalar {
  const squares = Object.values(gradients).map((gradient) => sum(tf.square(gradient)));
  return tf.sqrt(squares.length === 0 ? tf.scalar(0) : tf.addN(squares));
}

/** Row by row first: one float32 sum over millions of numbers in a row would stop growing. */
const sum = (squares: tf.Tensor): tf.Scalar => tf.sum(squares.rank < 2 ? squares : tf.sum(squares, -1));

/** What gradients are multiplied by: min(1, maximum / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ has it. */
export const clippingScale = (norm: tf.Scalar, maximum: number): tf.Scalar =>
  tf.minimum(1, tf.div(maximum, tf.add(norm, 1e-6)));
