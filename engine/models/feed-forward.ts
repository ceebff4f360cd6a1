/**
 * The gated feed-forward layer of the Llama and Qwen families: down(silu(gate(x)) · up(x)) (Shazeer 2020, SwiGLU).
 * N tokens, D hidden size, F intermediate size.
 */
import { restored, withGradient } from '../kernels/with-gradient.js';
import { tf } from '../tf.js';
import type { Linear } from './layer-weights.js';
import { linear } from './linear.js';

export interface FeedForwardWeights {
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;
}

export const feedForward = (x_ND: tf.Tensor2D, { gate, up, down }: FeedForwardWeights): tf.Tensor2D =>
  linear(swiGlu(linear(x_ND, gate), linear(x_ND, up)), down);

/** silu(gate) · up, with silu(z) = z · σ(z). Three kernels forward, six backward. */
export function swiGlu(gate_NF: tf.Tensor2D, up_NF: tf.Tensor2D): tf.Tensor2D {
  return withGradient<tf.Rank.R2>([gate_NF, up_NF], () => {
    const sigmoid_NF = tf.sigmoid(gate_NF);
    const silu_NF = tf.mul(gate_NF, sigmoid_NF);
    return {
      value: tf.mul(silu_NF, up_NF),
      saved: [sigmoid_NF, silu_NF, up_NF],
      gradients: (dy, saved) => {
        const [sigmoid, silu, up] = [restored(saved, 0), restored(saved, 1), restored(saved, 2)];
        // silu′ = σ + silu·(1 − σ)
        const slope = tf.add(sigmoid, tf.sub(silu, tf.mul(silu, sigmoid)));
        return [tf.mul(tf.mul(dy, up), slope), tf.mul(dy, silu)];
      },
    };
  });
}
