/** The weights of one decoder layer, by what they do; names and layouts are those of Hugging Face files. */
import { NightstillError } from '../../config/errors.js';
import type { ModelConfig } from '../files/model-config.js';
import type { tf } from '../tf.js';

export type Weights = Readonly<Record<string, tf.Tensor>>;

/** A matrix [out, in] and, where the family has one, a bias [out]. */
export interface Linear {
  readonly weight: tf.Tensor;
  readonly bias?: tf.Tensor;
}

export interface LayerWeights {
  readonly attentionNorm: tf.Tensor;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** Qwen3 normalises each head of queries and keys. */
  readonly headNorms?: { readonly query: tf.Tensor; readonly key: tf.Tensor };
  readonly feedForwardNorm: tf.Tensor;
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;
}

/** @throws model-weights-mismatch when a tensor is missing. */
export function weightOf(weights: Weights, name: string): tf.Tensor {
  const tensor = weights[name];
  if (tensor === undefined)
    throw new NightstillError('model-weights-mismatch', `Expected the tensor ${name}, found none of that name.`);
  return tensor;
}

/** @throws model-weights-mismatch when a tensor is missing. */
export function layerWeights(config: ModelConfig, weights: Weights, layer: number): LayerWeights {
  const tensor = (name: string) => weightOf(weights, `model.layers.${layer}.${name}`);
  const matrix = (name: string, biased: boolean): Linear => ({
    weight: tensor(`${name}.weight`),
    ...(biased && { bias: tensor(`${name}.bias`) }),
  });
  const { attentionBias, mlpBias } = config;
  return {
    attentionNorm: tensor('input_layernorm.weight'),
    query: matrix('self_attn.q_proj', attentionBias.qkv),
    key: matrix('self_attn.k_proj', attentionBias.qkv),
    value: matrix('self_attn.v_proj', attentionBias.qkv),
    output: matrix('self_attn.o_proj', attentionBias.output),
    ...(config.family === 'qwen3' && {
      headNorms: { query: tensor('self_attn.q_norm.weight'), key: tensor('self_attn.k_norm.weight') },
    }),
    feedForwardNorm: tensor('post_attention_layernorm.weight'),
    gate: matrix('mlp.gate_proj', mlpBias),
    up: matrix('mlp.up_proj', mlpBias),
    down: matrix('mlp.down_proj', mlpBias),
  };
}
