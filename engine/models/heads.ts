/**
 * From the hidden state to queries, keys and values as attention wants them, and back. The three projections are one product,
 * normalisation and rotation of queries and keys one pass.
 *
 * B rows, T tokens a row, N = B·T, D hidden size, H query heads, K key heads, E head size, Q = (H / K)·T.
 */
import type { ModelConfig } from '../files/model-config.js';
import { tf } from '../tf.js';
import type { LayerWeights } from './layer-weights.js';
import { addBias, pickRows } from './linear.js';
import { rmsNorm } from './rms-norm.js';
import { rotate, type Rotation } from './rotary.js';

export interface Heads {
  /** Query heads of a group lie one after another along the token axis: [B, K, (H / K)·T, E]. */
  readonly queries_BKQE: tf.Tensor4D;
  readonly keys_BKTE: tf.Tensor4D;
  readonly values_BKTE: tf.Tensor4D;
}

export function projectHeads(
  config: ModelConfig,
  weights: LayerWeights,
  hidden_ND: tf.Tensor2D,
  turn: Rotation,
): Heads {
  const { heads, keyValueHeads, headSize } = config;
  const [rows, , tokens] = turn.cosine_B1TE.shape;
  const all = heads + 2 * keyValueHeads;
  const projected_BTAE = tf.reshape<tf.Rank.R4>(project(weights, hidden_ND), [rows, tokens, all, headSize]);
  const [both, values_BKTE] = split(
    tf.transpose<tf.Tensor4D>(projected_BTAE, [0, 2, 1, 3]),
    all - keyValueHeads,
    keyValueHeads,
  );
  const turned = rotate(normalised(config, weights, both), turn);
  const [queries_BHTE, keys_BKTE] = split(turned, heads, keyValueHeads);
  const grouped = [rows, keyValueHeads, (heads / keyValueHeads) * tokens, headSize] as const;
  return { queries_BKQE: tf.reshape(queries_BHTE, [...grouped]), keys_BKTE, values_BKTE };
}

/** The mixed values of all heads, token after token: [N, H·E]. */
export function mergeHeads({ heads, headSize }: ModelConfig, mixed_BKQE: tf.Tensor4D, tokens: number): tf.Tensor2D {
  const [rows] = mixed_BKQE.shape;
  const mixed_BHTE = tf.reshape(mixed_BKQE, [rows, heads, tokens, headSize]);
  return tf.reshape(tf.transpose(mixed_BHTE, [0, 2, 1, 3]), [rows * tokens, heads * headSize]);
}

function project({ query, key, value }: LayerWeights, hidden_ND: tf.Tensor2D): tf.Tensor2D {
  const matrix = tf.concat([query.weight, key.weight, value.weight], 0);
  const product = tf.matMul<tf.Tensor2D>(hidden_ND, matrix, false, true);
  const biases = [query.bias, key.bias, value.bias].filter((bias) => bias !== undefined);
  return biases.length === 0 ? product : addBias(product, tf.concat(biases, 0));
}

/** Qwen3: each head by itself, one weight for all queries and one for all keys. */
function normalised(config: ModelConfig, { headNorms }: LayerWeights, both: tf.Tensor4D): tf.Tensor4D {
  if (headNorms === undefined) return both;
  const { heads, keyValueHeads, headSize, rmsNormEpsilon } = config;
  const kinds = tf.tensor1d([...Array<number>(heads).fill(0), ...Array<number>(keyValueHeads).fill(1)], 'int32');
  const table_2E = tf.stack([headNorms.query, headNorms.key]);
  const weight = tf.reshape(pickRows(table_2E, kinds), [heads + keyValueHeads, 1, headSize]);
  return rmsNorm(both, weight, rmsNormEpsilon);
}

function split(heads: tf.Tensor4D, first: number, second: number): [tf.Tensor4D, tf.Tensor4D] {
  const [one, other] = tf.split<tf.Tensor4D>(heads, [first, second], 1);
  if (one === undefined || other === undefined) throw new TypeError('Expected two parts.');
  return [one, other];
}
