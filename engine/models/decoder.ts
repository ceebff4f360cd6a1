/**
 * The decoders of Qwen2, Qwen3 and Llama as plain functions of tensors: token ids in, final hidden states out; logits apart, so
 * that a loss may take the vocabulary in pieces. Eager on any backend they are the definition; a program records them once.
 *
 * B rows, T tokens a row, N = B·T, D hidden size, V vocabulary.
 */
import type { ModelConfig } from '../files/model-config.js';
import { tf } from '../tf.js';
import { causalAttention, causalMask } from './attention.js';
import { feedForward } from './feed-forward.js';
import { mergeHeads, projectHeads, type Heads } from './heads.js';
import { layerWeights, weightOf, type LayerWeights, type Weights } from './layer-weights.js';
import { addResidual, linear, pickRows } from './linear.js';
import { rmsNorm } from './rms-norm.js';
import { rotation, type Rotation } from './rotary.js';

export interface DecoderInputs {
  /** int32, each in [0, V). */
  readonly ids_BT: tf.Tensor2D;
  /** int32, the place of each token in its own text, from 0. */
  readonly positions_BT: tf.Tensor2D;
  /** int32; tokens see those of their own segment only. Without it a row is one text. Padding is a segment like any other. */
  readonly segments_BT?: tf.Tensor2D;
}

export type Layer = (hidden_ND: tf.Tensor2D) => tf.Tensor2D;

/** Puts something around each layer, such as a mark that it be computed again in the backward pass. */
export type Block = (name: string, layer: Layer) => Layer;

/** The hidden states after the last norm, [N, D], differentiable by every weight. */
export function hiddenStates(
  config: ModelConfig,
  weights: Weights,
  inputs: DecoderInputs,
  block: Block = (_, layer) => layer,
): tf.Tensor2D {
  const context = contextOf(config, inputs);
  let hidden_ND = embeddings(weights, inputs.ids_BT);
  for (let index = 0; index < config.layers; index++) {
    const ofLayer = layerWeights(config, weights, index);
    const layer = block(`model.layers.${index}`, (entering_ND) => layerOutput(context, ofLayer, entering_ND).hidden_ND);
    hidden_ND = layer(hidden_ND);
  }
  return finalNorm(config, weights, hidden_ND);
}

/** Logits of hidden states, [N, V]. */
export const logits = (config: ModelConfig, weights: Weights, hidden_ND: tf.Tensor2D): tf.Tensor2D =>
  tf.matMul(hidden_ND, headWeight(config, weights), false, true);

/** The name of the matrix [V, D] that makes logits: the embeddings themselves where they are tied. */
export const headName = ({ tiedEmbeddings }: ModelConfig): string =>
  tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';

export const headWeight = (config: ModelConfig, weights: Weights): tf.Tensor => weightOf(weights, headName(config));

export const embeddings = (weights: Weights, ids: tf.Tensor): tf.Tensor2D =>
  pickRows(weightOf(weights, 'model.embed_tokens.weight'), tf.reshape(ids, [ids.size]));

export const finalNorm = (config: ModelConfig, weights: Weights, hidden_ND: tf.Tensor2D): tf.Tensor2D =>
  rmsNorm(hidden_ND, weightOf(weights, 'model.norm.weight'), config.rmsNormEpsilon);

/** What all layers share. */
export interface LayerContext {
  readonly config: ModelConfig;
  readonly turn: Rotation;
  readonly mask: tf.Tensor4D;
}

export function contextOf(config: ModelConfig, inputs: DecoderInputs): LayerContext {
  const { positions_BT, segments_BT } = inputs;
  const [, tokens] = positions_BT.shape;
  const groups = config.heads / config.keyValueHeads;
  return { config, turn: rotation(config, positions_BT), mask: causalMask(tokens, groups, segments_BT) };
}

export interface LayerOutput extends Heads {
  readonly hidden_ND: tf.Tensor2D;
}

/** One layer over whole rows, with the keys and values that it made. */
export function layerOutput(context: LayerContext, weights: LayerWeights, hidden_ND: tf.Tensor2D): LayerOutput {
  const { config, turn, mask } = context;
  const normalised_ND = rmsNorm(hidden_ND, weights.attentionNorm, config.rmsNormEpsilon);
  const heads = projectHeads(config, weights, normalised_ND, turn);
  const mixed_BKQE = causalAttention(heads.queries_BKQE, heads.keys_BKTE, heads.values_BKTE, mask);
  const merged = mergeHeads(config, mixed_BKQE, turn.cosine_B1TE.shape[2]);
  return { ...heads, hidden_ND: afterAttention(config, weights, hidden_ND, merged) };
}

/** The rest of a layer: output projection and feed-forward, each added to the stream. */
export function afterAttention(
  config: ModelConfig,
  weights: LayerWeights,
  hidden_ND: tf.Tensor2D,
  merged: tf.Tensor2D,
): tf.Tensor2D {
  const attended_ND = addResidual(hidden_ND, linear(merged, weights.output));
  const normalised_ND = rmsNorm(attended_ND, weights.feedForwardNorm, config.rmsNormEpsilon);
  return addResidual(attended_ND, feedForward(normalised_ND, weights));
}
