/** The models that the engine's bench trains, scores and generates with: llama-like, tied embeddings, random weights. */

export interface ModelShape {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly vocabularySize: number;
}

export type ModelName = keyof typeof modelShapes;

/** 2.6, 5.8, 29.5 and 20.0 million parameters; the last is as deep as models of half a billion. */
export const modelShapes = {
  '3M': { hiddenSize: 192, intermediateSize: 512, layers: 4, heads: 3, vocabularySize: 4096 },
  '5M': { hiddenSize: 256, intermediateSize: 688, layers: 6, heads: 4, vocabularySize: 4096 },
  '30M': { hiddenSize: 512, intermediateSize: 1376, layers: 8, heads: 8, vocabularySize: 8192 },
  '24 layers': { hiddenSize: 256, intermediateSize: 688, layers: 24, heads: 4, vocabularySize: 4096 },
} as const satisfies Record<string, ModelShape>;

/** `config.json` as transformers reads it. */
export const hubConfig = (shape: ModelShape) => ({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: shape.vocabularySize,
  hidden_size: shape.hiddenSize,
  intermediate_size: shape.intermediateSize,
  num_hidden_layers: shape.layers,
  num_attention_heads: shape.heads,
  num_key_value_heads: shape.heads,
  head_dim: shape.hiddenSize / shape.heads,
  hidden_act: 'silu',
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
  attention_bias: false,
  mlp_bias: false,
  bos_token_id: 1,
  eos_token_id: 2,
  torch_dtype: 'float32',
});

/** What `hubConfig` was made from. */
export const shapeOf = (config: ReturnType<typeof hubConfig>): ModelShape => ({
  hiddenSize: config.hidden_size,
  intermediateSize: config.intermediate_size,
  layers: config.num_hidden_layers,
  heads: config.num_attention_heads,
  vocabularySize: config.vocab_size,
});

/** Names and shapes as in Hugging Face files. */
export function weightShapes(shape: ModelShape): Readonly<Record<string, readonly number[]>> {
  const { hiddenSize, intermediateSize, layers, vocabularySize } = shape;
  const square = [hiddenSize, hiddenSize];
  const shapes: Record<string, readonly number[]> = { 'model.embed_tokens.weight': [vocabularySize, hiddenSize] };
  for (let layer = 0; layer < layers; layer += 1) {
    const prefix = `model.layers.${layer}`;
    shapes[`${prefix}.input_layernorm.weight`] = [hiddenSize];
    for (const name of ['q', 'k', 'v', 'o']) shapes[`${prefix}.self_attn.${name}_proj.weight`] = square;
    shapes[`${prefix}.post_attention_layernorm.weight`] = [hiddenSize];
    shapes[`${prefix}.mlp.gate_proj.weight`] = [intermediateSize, hiddenSize];
    shapes[`${prefix}.mlp.up_proj.weight`] = [intermediateSize, hiddenSize];
    shapes[`${prefix}.mlp.down_proj.weight`] = [hiddenSize, intermediateSize];
  }
  shapes['model.norm.weight'] = [hiddenSize];
  return shapes;
}
