/**
 * Rotary positions (Su et al. 2021) in the half-split form of the Llama and Qwen families: element e of a head turns together
 * with element e + E/2 by the angle position · frequency. Frequencies are rounded to float32 at each step as transformers
 * rounds them; angles are computed from positions inside the program, so no table limits their number.
 *
 * B rows, T tokens a row, E head size.
 */
import type { ModelConfig } from '../files/model-config.js';
import { restored, withGradient } from '../kernels/with-gradient.js';
import { tf } from '../tf.js';

export interface Rotation {
  readonly cosine_B1TE: tf.Tensor4D;
  /** The sine, negated in the first half of a head. */
  readonly signedSine_B1TE: tf.Tensor4D;
}

const round = Math.fround;

/**
 * One frequency for each pair of elements: θ^(−2i/E), then the scaling of the config.
 * Source: transformers, modeling_rope_utils.py (default, linear, llama3).
 */
export function rotaryFrequencies({ headSize, rope }: Pick<ModelConfig, 'headSize' | 'rope'>): Float32Array {
  const { scaling, theta } = rope;
  const plain = (pair: number) => round(1 / round(theta ** round((2 * pair) / headSize)));
  return Float32Array.from({ length: headSize / 2 }, (_, pair) => {
    if (scaling === undefined) return plain(pair);
    return scaling.kind === 'linear' ? plain(pair) / scaling.factor : stretched(plain(pair), scaling);
  });
}

type Llama3Scaling = Extract<NonNullable<ModelConfig['rope']['scaling']>, { kind: 'llama3' }>;

/** Llama 3.1: long waves are slowed down by the factor, short ones stay, those between are interpolated. */
function stretched(frequency: number, scaling: Llama3Scaling): number {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalMaximumPositions: positions } = scaling;
  const wavelength = round(round(1 / frequency) * round(2 * Math.PI));
  if (wavelength < positions / high) return frequency;
  if (wavelength > positions / low) return round(frequency / factor);
  const smooth = round(round(round(round(1 / wavelength) * positions) - low) / (high - low));
  const slow = round(round(round(1 - smooth) * frequency) / factor);
  return round(slow + round(smooth * frequency));
}

/** Cosines and sines of all tokens, computed once for all layers. */
export function rotation(config: Pick<ModelConfig, 'headSize' | 'rope'>, positions_BT: tf.Tensor2D): Rotation {
  const [rows, tokens] = positions_BT.shape;
  const half = config.headSize / 2;
  const frequencies = rotaryFrequencies(config);
  const frequencies_E = tf.tensor1d(Float32Array.from([...frequencies, ...frequencies]));
  const signs_E = tf.tensor1d(Float32Array.from({ length: 2 * half }, (_, element) => (element < half ? -1 : 1)));
  const positions_B1T1 = tf.reshape(tf.cast(positions_BT, 'float32'), [rows, 1, tokens, 1]);
  const angles_B1TE = tf.mul<tf.Tensor4D>(positions_B1T1, frequencies_E);
  return { cosine_B1TE: tf.cos(angles_B1TE), signedSine_B1TE: tf.mul(tf.sin(angles_B1TE), signs_E) };
}

/** Turns heads [B, any, T, E] to their positions. Five kernels each way. */
export function rotate(heads: tf.Tensor4D, { cosine_B1TE, signedSine_B1TE }: Rotation): tf.Tensor4D {
  return withGradient<tf.Rank.R4>([heads], () => ({
    value: tf.add(tf.mul(heads, cosine_B1TE), tf.mul(swapped(heads), signedSine_B1TE)),
    saved: [cosine_B1TE, signedSine_B1TE],
    // The turn backwards: the sign of a sine changes with the half it is swapped into.
    gradients: (dy, saved) => [tf.sub(tf.mul(dy, restored(saved, 0)), tf.mul(swapped(dy), restored(saved, 1)))],
  }));
}

function swapped(heads: tf.Tensor): tf.Tensor {
  const [first, second] = tf.split(heads, 2, -1);
  if (first === undefined || second === undefined) throw new TypeError('Expected two halves.');
  return tf.concat([second, first], -1);
}
