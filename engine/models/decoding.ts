/**
 * Generation with a cache, as plain functions: `prefill` reads a prompt and hands back its keys and values, `decodeStep` reads
 * one token of every slot. The cache itself belongs to the caller. Its rows are (slot, key head, position), so that a step sees
 * it as [B, K, C, E] without moving anything and writes its K rows of each slot in place.
 *
 * B slots or rows, T tokens of a prompt, K key heads, G queries a key head, C capacity of a slot, E head size, V vocabulary.
 */
import type { ModelConfig } from '../files/model-config.js';
import { tf } from '../tf.js';
import { attendWithCache } from './cached-attention.js';
import {
  afterAttention,
  contextOf,
  embeddings,
  finalNorm,
  layerOutput,
  logits,
  type DecoderInputs,
} from './decoder.js';
import { mergeHeads, projectHeads } from './heads.js';
import { layerWeights, type LayerWeights, type Weights } from './layer-weights.js';
import { pickRows } from './linear.js';
import { rmsNorm } from './rms-norm.js';
import { rotation, type Rotation } from './rotary.js';

/** Keys, turned to their positions, and values of one layer. */
export interface KeysAndValues {
  readonly keys_BKTE: tf.Tensor4D;
  readonly values_BKTE: tf.Tensor4D;
}

export interface Prefilled {
  /** Logits at `last_B` of each row. */
  readonly logits_BV: tf.Tensor2D;
  readonly layers: readonly KeysAndValues[];
}

/**
 * @param inputs prompts, padded on the right: no token sees what comes after it.
 * @param last_B int32, the place of the last token of each prompt.
 */
export function prefill(config: ModelConfig, weights: Weights, inputs: DecoderInputs, last_B: tf.Tensor1D): Prefilled {
  const context = contextOf(config, inputs, 'joined afterwards');
  const [rows, tokens] = inputs.ids_BT.shape;
  const layers: KeysAndValues[] = [];
  let hidden_ND = embeddings(weights, inputs.ids_BT);
  for (let index = 0; index < config.layers; index++) {
    const output = layerOutput(context, layerWeights(config, weights, index), hidden_ND);
    layers.push({ keys_BKTE: output.keys_BKTE, values_BKTE: output.values_BKTE });
    ({ hidden_ND } = output);
  }
  const firsts_B = tf.tensor1d(
    Array.from({ length: rows }, (_, row) => row * tokens),
    'int32',
  );
  const last_BD = finalNorm(config, weights, pickRows(hidden_ND, tf.add(firsts_B, last_B)));
  return { logits_BV: logits(config, weights, last_BD), layers };
}

/** The cache of one layer; rows are (slot, key head, position): [B·K·C, E]. */
export interface LayerCache {
  readonly keys: tf.Tensor;
  readonly values: tf.Tensor;
}

export interface DecodeInputs {
  /** int32, the newest token of each slot. */
  readonly ids_B: tf.Tensor1D;
  /** int32, its place; the cache holds those before it. 0 suits an empty slot. */
  readonly positions_B: tf.Tensor1D;
}

/** What a step adds to the cache of one layer: [B·K, E], to be written at `cacheRows`. */
export interface CacheRows {
  readonly keys: tf.Tensor2D;
  readonly values: tf.Tensor2D;
}

export interface Decoded {
  readonly logits_BV: tf.Tensor2D;
  readonly layers: readonly CacheRows[];
}

/** One token of every slot. Reads the cache before `positions_B` only, so its update may come at any time after the reads. */
export function decodeStep(
  config: ModelConfig,
  weights: Weights,
  { ids_B, positions_B }: DecodeInputs,
  caches: readonly LayerCache[],
): Decoded {
  const [slots] = ids_B.shape;
  const turn = rotation(config, tf.reshape(positions_B, [slots, 1]));
  const layers: CacheRows[] = [];
  let hidden_BD = embeddings(weights, ids_B);
  caches.forEach((cache, index) => {
    const ofLayer = layerWeights(config, weights, index);
    const step = decodeLayer(config, ofLayer, { hidden_BD, turn, positions_B }, cache);
    layers.push(step.rows);
    ({ hidden_BD } = step);
  });
  return { logits_BV: logits(config, weights, finalNorm(config, weights, hidden_BD)), layers };
}

interface Token {
  readonly hidden_BD: tf.Tensor2D;
  readonly turn: Rotation;
  readonly positions_B: tf.Tensor1D;
}

function decodeLayer(
  config: ModelConfig,
  weights: LayerWeights,
  { hidden_BD, turn, positions_B }: Token,
  cache: LayerCache,
): { readonly hidden_BD: tf.Tensor2D; readonly rows: CacheRows } {
  const { keyValueHeads, headSize, rmsNormEpsilon } = config;
  const [slots] = hidden_BD.shape;
  const cached = (rows: tf.Tensor) => tf.reshape<tf.Rank.R4>(rows, [slots, keyValueHeads, -1, headSize]);
  const row = (heads: tf.Tensor4D) => tf.reshape<tf.Rank.R2>(heads, [slots * keyValueHeads, headSize]);
  const normalised_BD = rmsNorm(hidden_BD, weights.attentionNorm, rmsNormEpsilon);
  const heads = projectHeads(config, weights, normalised_BD, turn, 'joined afterwards');
  const mixed_BKGE = attendWithCache(heads, cached(cache.keys), cached(cache.values), positions_B);
  const merged = mergeHeads(config, mixed_BKGE, 1);
  return {
    hidden_BD: afterAttention(config, weights, hidden_BD, merged),
    rows: { keys: row(heads.keys_BKTE), values: row(heads.values_BKTE) },
  };
}

/**
 * Which rows of a cache [B·K·C, E] the keys of some positions belong to, in the order in which `prefill` (one slot) and
 * `decodeStep` (all slots, one position each) return them.
 */
export function cacheRows(
  { keyValueHeads }: Pick<ModelConfig, 'keyValueHeads'>,
  capacity: number,
  places: readonly { readonly slot: number; readonly positions: readonly number[] }[],
): Int32Array {
  const rows = places.flatMap(({ slot, positions }) =>
    Array.from({ length: keyValueHeads }, (_, head) =>
      positions.map((position) => (slot * keyValueHeads + head) * capacity + position),
    ).flat(),
  );
  return Int32Array.from(rows);
}
