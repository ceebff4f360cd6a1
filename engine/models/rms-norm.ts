/**
 * Root mean square normalisation (Zhang and Sennrich 2019): y = w · x / √(mean(x²) + ε) over the last axis, as the Llama and
 * Qwen families use it. Six kernels forward, eight backward.
 */
import { restored, withGradient } from '../kernels/with-gradient.js';
import { tf } from '../tf.js';

/**
 * @param x of any rank.
 * @param weight broadcast to x; [D], or with axes of length 1 where one weight serves many rows.
 */
export function rmsNorm<Rank extends tf.Rank>(x: tf.Tensor<Rank>, weight: tf.Tensor, epsilon: number): tf.Tensor<Rank> {
  return withGradient<Rank>([x, weight], () => {
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
    const normalised = tf.mul(x, inverse);
    return {
      value: tf.mul(normalised, weight),
      saved: [normalised, inverse, weight],
      gradients: (dy, saved) => gradients(dy, restored(saved, 0), restored(saved, 1), restored(saved, 2)),
    };
  });
}

/** With n = x·r, r = 1/rms: dx = r·(dn − n·mean(dn·n)) where dn = dy·w; dw = Σ dy·n. */
function gradients(dy: tf.Tensor, normalised: tf.Tensor, inverse: tf.Tensor, weight: tf.Tensor): tf.Tensor[] {
  const product = tf.mul(dy, normalised);
  const projection = tf.mul(normalised, tf.mean(tf.mul(product, weight), -1, true));
  const dx = tf.mul(inverse, tf.sub(tf.mul(dy, weight), projection));
  return [dx, summedTo(weight.shape, product)];
}

/** The sum over the axes along which a tensor of this shape was broadcast. */
function summedTo(shape: number[], gradient: tf.Tensor): tf.Tensor {
  const sum = tf.sum(gradient, tf.backend_util.getReductionAxes(shape, gradient.shape));
  return sum.rank === shape.length ? sum : tf.reshape(sum, shape);
}
