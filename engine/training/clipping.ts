/** Clipping by the global norm, on device: no value is read, and the scale is applied where the gradients are used. */
import { sumOfSquares } from '../kernels/sum-of-squares.js';
import { tf } from '../tf.js';

/** The Euclidean norm of all gradients together; not finite as soon as one of their numbers is not (or overflows squared). */
export function globalNorm(gradients: Readonly<Record<string, tf.Tensor>>): tf.Scalar {
  const squares = Object.values(gradients).map(sumOfSquares);
  return tf.sqrt(squares.length === 0 ? tf.scalar(0) : tf.addN(squares));
}

/** What gradients are multiplied by: min(1, maximum / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ has it. */
export const clippingScale = (norm: tf.Scalar, maximum: number): tf.Scalar =>
  tf.minimum(1, tf.div(maximum, tf.add(norm, 1e-6)));
