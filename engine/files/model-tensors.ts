/**
 * Which tensors a model of a config has, and their shapes: names and layouts of Hugging Face files, [out, in] for a projection.
 * Tied embeddings have no lm_head.
 */
import { sizeOf } from '../tracing/tensor-spec.js';
import type { ModelConfig } from './model-config.js';

/** Name → shape, in the order of transformers' modules. */
export function expectedTensors(config: ModelConfig): ReadonlyMap<string, readonly number[]> {
  const { vocabularySize, hiddenSize } = config;
  const tensors = new Map<string, readonly number[]>([['model.embed_tokens.weight', [vocabularySize, hiddenSize]]]);
  for (let layer = 0; layer < config.layers; layer++)
    for (const [name, shape] of layerTensors(config)) tensors.set(`model.layers.${layer}.${name}`, shape);
  tensors.set('model.norm.weight', [hiddenSize]);
  if (!config.tiedEmbeddings) tensors.set('lm_head.weight', [vocabularySize, hiddenSize]);
  return tensors;
}

/** How many numbers the model has; tied embeddings once. */
export const parameterCount = (config: ModelConfig): number =>
  [...expectedTensors(config).values()].reduce((sum, shape) => sum + sizeOf(shape), 0);

function layerTensors(config: ModelConfig): [string, readonly number[]][] {
  const { hiddenSize, intermediateSize, headSize, attentionBias, mlpBias } = config;
  const queries = config.heads * headSize;
  const keys = config.keyValueHeads * headSize;
  const linear = (name: string, output: number, input: number, bias: boolean): [string, readonly number[]][] => [
    [`${name}.weight`, [output, input]],
    ...(bias ? [[`${name}.bias`, [output]] satisfies [string, number[]]] : []),
  ];
  return [
    ...linear('self_attn.q_proj', queries, hiddenSize, attentionBias.qkv),
    ...linear('self_attn.k_proj', keys, hiddenSize, attentionBias.qkv),
    ...linear('self_attn.v_proj', keys, hiddenSize, attentionBias.qkv),
    ...linear('self_attn.o_proj', hiddenSize, queries, attentionBias.output),
    ...(config.family === 'qwen3' ? queryAndKeyNorms(headSize) : []),
    ...linear('mlp.gate_proj', intermediateSize, hiddenSize, mlpBias),
    ...linear('mlp.up_proj', intermediateSize, hiddenSize, mlpBias),
    ...linear('mlp.down_proj', hiddenSize, intermediateSize, mlpBias),
    ['input_layernorm.weight', [hiddenSize]],
    ['post_attention_layernorm.weight', [hiddenSize]],
  ];
}

const queryAndKeyNorms = (headSize: number): [string, readonly number[]][] => [
  ['self_attn.q_norm.weight', [headSize]],
  ['self_attn.k_norm.weight', [headSize]],
];
