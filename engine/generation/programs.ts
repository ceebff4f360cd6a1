/**
 * The programs of a generator and the state they share: the weights, the cache of every slot and the newest logits of every
 * slot. `decode` is one step of all slots; what a request wants beside the most probable token is computed from the logits that
 * are kept, by programs that change nothing, so no request can change the bits of another.
 *
 * B slots, P prompts of a call, C capacity of a slot, T tokens of a bucket, V vocabulary.
 */
import type { ProgramSpec } from '../compile.js';
import type { ModelConfig } from '../files/model-config.js';
import { replaceRows } from '../kernels/replace-rows.js';
import { decodeStep, placePrompts, prefill, type LayerCache } from '../models/decoding.js';
import { tf } from '../tf.js';
import type { TensorSpec } from '../tracing/tensor-spec.js';
import { namedTensor, type Tensors } from '../tracing/tensors.js';
import { decodingWeights, decodingWeightState } from './decoding-weights.js';
import { promptsOfCall } from './prompt-lengths.js';

export interface GenerationShape {
  /** How many sequences a step decodes, always: slots without a sequence are computed too. */
  readonly slots: number;
  /** Tokens of a slot, prompt included. */
  readonly capacity: number;
  /** Lengths to which prompts are padded, ascending; a prompt takes the first that it fits into. */
  readonly promptLengths: readonly number[];
}

const float32 = (...shape: readonly number[]): TensorSpec => ({ shape, dtype: 'float32' });
const int32 = (...shape: readonly number[]): TensorSpec => ({ shape, dtype: 'int32' });

const keysName = (layer: number): string => `cache.keys.${layer}`;
const valuesName = (layer: number): string => `cache.values.${layer}`;
const logitsName = 'cache.logits';

export const prefillName = (tokens: number): string => `prefill ${tokens}`;

export function generationState(config: ModelConfig, { slots, capacity }: GenerationShape): Record<string, TensorSpec> {
  const state: Record<string, TensorSpec> = {
    ...decodingWeightState(config),
    [logitsName]: float32(slots, config.vocabularySize),
  };
  for (let layer = 0; layer < config.layers; layer++)
    for (const name of [keysName(layer), valuesName(layer)])
      state[name] = float32(slots * config.keyValueHeads * capacity, config.headSize);
  return state;
}

/** @param xla whether the step of all slots is compiled with XLA */
export function generationPrograms(
  config: ModelConfig,
  shape: GenerationShape,
  xla: boolean,
): Record<string, ProgramSpec> {
  const { slots } = shape;
  const prefills = shape.promptLengths.map((tokens): [string, ProgramSpec] => {
    const prompts = promptsOfCall(tokens, slots);
    return [
      prefillName(tokens),
      {
        inputs: { ids: int32(prompts, tokens), last: int32(prompts), slots: int32(prompts) },
        run: (state, inputs) => prefillSlots(config, shape, state, inputs),
      },
    ];
  });
  return {
    ...Object.fromEntries(prefills),
    decode: {
      xla,
      inputs: { ids: int32(slots), positions: int32(slots) },
      run: (state, inputs) => {
        const [ids_B, positions_B] = [namedTensor(inputs, 'ids').as1D(), namedTensor(inputs, 'positions').as1D()];
        const weights = decodingWeights(config, state);
        const { logits_BV, caches } = decodeStep(config, weights, { ids_B, positions_B }, cachesOf(config, state));
        return { outputs: { greedy: mostProbable(logits_BV) }, updates: { ...named(caches), [logitsName]: logits_BV } };
      },
    },
    /** The logits of one slot. */
    logits: {
      inputs: { slot: int32(1) },
      run: (state, inputs) => ({
        outputs: { logits: tf.gather(namedTensor(state, logitsName), namedTensor(inputs, 'slot').as1D()) },
      }),
    },
    /** log p of one token of each slot. */
    logProbabilities: {
      inputs: { ids: int32(slots) },
      run: (state, inputs) => ({
        outputs: {
          logProbabilities: logProbabilities(namedTensor(state, logitsName), namedTensor(inputs, 'ids').as1D()),
        },
      }),
    },
  };
}

function prefillSlots(config: ModelConfig, { capacity }: GenerationShape, state: Tensors, inputs: Tensors) {
  const ids = namedTensor(inputs, 'ids');
  const [prompts = 0, tokens = 0] = ids.shape;
  const ids_PT = ids.as2D(prompts, tokens);
  const positions_PT = tf.tile(tf.reshape<tf.Rank.R2>(tf.range(0, tokens, 1, 'int32'), [1, tokens]), [prompts, 1]);
  const slots_P = namedTensor(inputs, 'slots').as1D();
  const weights = decodingWeights(config, state);
  const last_P = namedTensor(inputs, 'last').as1D();
  const found = prefill(config, weights, { ids_BT: ids_PT, positions_BT: positions_PT }, last_P);
  const caches = cachesOf(config, state).map((cache, layer) => {
    const prompt = found.layers[layer];
    if (prompt === undefined) throw new TypeError(`expected keys and values of layer ${layer}`);
    return placePrompts(cache, prompt, slots_P, capacity);
  });
  const logits = replaceRows(namedTensor(state, logitsName), slots_P, found.logits_BV);
  return { outputs: { greedy: mostProbable(found.logits_BV) }, updates: { ...named(caches), [logitsName]: logits } };
}

/** Its id in each row; −1 where a logit is NaN or +∞, as their sum then is. */
const mostProbable = (logits_BV: tf.Tensor): tf.Tensor =>
  tf.where(tf.less(tf.sum(logits_BV, -1), Infinity), tf.argMax(logits_BV, -1), tf.scalar(-1, 'int32'));

function logProbabilities(logits_BV: tf.Tensor, ids_B: tf.Tensor1D): tf.Tensor {
  const slots_B = tf.range(0, ids_B.size, 1, 'int32');
  const chosen_B = tf.gatherND(logits_BV, tf.stack([slots_B, ids_B], 1));
  return tf.sub(chosen_B, tf.logSumExp(logits_BV, -1));
}

function cachesOf({ layers }: ModelConfig, state: Tensors): LayerCache[] {
  const rows = (name: string): tf.Tensor2D => {
    const found = namedTensor(state, name);
    return found.as2D(found.shape[0] ?? 0, found.shape[1] ?? 0);
  };
  return Array.from({ length: layers }, (_, layer) => ({
    keys: rows(keysName(layer)),
    values: rows(valuesName(layer)),
  }));
}

const named = (caches: readonly LayerCache[]): Record<string, tf.Tensor> =>
  Object.fromEntries(
    caches.flatMap(({ keys, values }, layer) => [
      [keysName(layer), keys],
      [valuesName(layer), values],
    ]),
  );
