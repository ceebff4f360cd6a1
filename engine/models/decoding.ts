/**
 * Generation with a cache, as plain functions: `prefill` reads prompts, `placePrompts` puts their keys and values into slots,
 * `decodeStep` reads one token of every slot. The cache belongs to the caller. Its rows are (slot, key head, position), so that
 * a step sees it as [B, K, C, E] without moving anything and writes its K rows of each slot in place.
 *
 * B slots or rows, T tokens of a prompt, K key heads, G queries a key head, C capacity of a slot, E head size, V vocabulary.
 */
import type { ModelConfig } from '../files/model-config.js';
import { replaceRows } from '../kernels/replace-rows.js';
import { tf } from '../tf.js';
import { attendToCache, filledPlaces } from './cached-attention.js';
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
  const context = contextOf(config, inputs);
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
  readonly keys: tf.Tensor2D;
  readonly values: tf.Tensor2D;
}

/**
 * The cache with each prompt in its slot, and zeros behind it: nothing of a former text is left.
 * @param found of P prompts, T at most C
 * @param slots_P int32, which slots
 */
export function placePrompts(
  cache: LayerCache,
  found: KeysAndValues,
  slots_P: tf.Tensor1D,
  capacity: number,
): LayerCache {
  const place = (rows: tf.Tensor2D, found_PKTE: tf.Tensor4D): tf.Tensor2D => {
    const [prompts, heads, tokens, size] = found_PKTE.shape;
    const whole_PKCE = tf.pad(found_PKTE, [
      [0, 0],
      [0, 0],
      [0, capacity - tokens],
      [0, 0],
    ]);
    const slots = tf.reshape(rows, [-1, heads * capacity * size]);
    const replaced = replaceRows(slots, slots_P, tf.reshape(whole_PKCE, [prompts, heads * capacity * size]));
    return tf.reshape(replaced, rows.shape);
  };
  return { keys: place(cache.keys, found.keys_BKTE), values: place(cache.values, found.values_BKTE) };
}

export interface DecodeInputs {
  /** int32, the newest token of each slot. */
  readonly ids_B: tf.Tensor1D;
  /** int32, its place; the cache holds those before it. 0 suits an empty slot. */
  readonly positions_B: tf.Tensor1D;
}

export interface Decoded {
  readonly logits_BV: tf.Tensor2D;
  /** With the keys and values of these tokens. */
  readonly caches: readonly LayerCache[];
}

/** One token of every slot. */
export function decodeStep(
  config: ModelConfig,
  weights: Weights,
  { ids_B, positions_B }: DecodeInputs,
  caches: readonly LayerCache[],
): Decoded {
  const [slots] = ids_B.shape;
  const capacity = (caches[0]?.keys.shape[0] ?? 0) / (slots * config.keyValueHeads);
  const step: Step = {
    config,
    turn: rotation(config, tf.reshape(positions_B, [slots, 1])),
    filled_B11C: filledPlaces(positions_B, capacity),
    rows_R: rowsOf(config, positions_B, capacity),
  };
  let hidden_BD = embeddings(weights, ids_B);
  const written = caches.map((cache, index) => {
    const decoded = decodeLayer(step, layerWeights(config, weights, index), hidden_BD, cache);
    ({ hidden_BD } = decoded);
    return decoded.cache;
  });
  return { logits_BV: logits(config, weights, finalNorm(config, weights, hidden_BD)), caches: written };
}

/** The rows of a cache that belong to one position of each slot: R = B·K. */
function rowsOf({ keyValueHeads }: ModelConfig, positions_B: tf.Tensor1D, capacity: number): tf.Tensor1D {
  const [slots] = positions_B.shape;
  const firsts = Int32Array.from({ length: slots * keyValueHeads }, (_, head) => head * capacity);
  const firsts_BK = tf.tensor2d(firsts, [slots, keyValueHeads], 'int32');
  return tf.reshape(tf.add(firsts_BK, tf.reshape(positions_B, [slots, 1])), [slots * keyValueHeads]);
}

/** What all layers share. */
interface Step {
  readonly config: ModelConfig;
  readonly turn: Rotation;
  readonly filled_B11C: tf.Tensor4D;
  readonly rows_R: tf.Tensor1D;
}

function decodeLayer(
  { config, turn, filled_B11C, rows_R }: Step,
  weights: LayerWeights,
  hidden_BD: tf.Tensor2D,
  cache: LayerCache,
): { readonly hidden_BD: tf.Tensor2D; readonly cache: LayerCache } {
  const { keyValueHeads, headSize, rmsNormEpsilon } = config;
  const [slots] = hidden_BD.shape;
  const normalised_BD = rmsNorm(hidden_BD, weights.attentionNorm, rmsNormEpsilon);
  const heads = projectHeads(config, weights, normalised_BD, turn);
  const write = (rows: tf.Tensor2D, heads_BK1E: tf.Tensor4D) =>
    replaceRows(rows, rows_R, tf.reshape(heads_BK1E, [slots * keyValueHeads, headSize]));
  const seen = (rows: tf.Tensor2D) => tf.reshape<tf.Rank.R4>(rows, [slots, keyValueHeads, -1, headSize]);
  const written = { keys: write(cache.keys, heads.keys_BKTE), values: write(cache.values, heads.values_BKTE) };
  const mixed_BKGE = attendToCache(heads.queries_BKQE, seen(written.keys), seen(written.values), filled_B11C);
  return { hidden_BD: afterAttention(config, weights, hidden_BD, mergeHeads(config, mixed_BKGE, 1)), cache: written };
}
