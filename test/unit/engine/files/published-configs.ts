/** config.json of models as they are published, field by field, and what their computation needs. */

const qwen = {
  attention_dropout: 0.0,
  bos_token_id: 151_643,
  hidden_act: 'silu',
  initializer_range: 0.02,
  rms_norm_eps: 1e-6,
  torch_dtype: 'bfloat16',
  use_cache: true,
  use_sliding_window: false,
};

const qwen2 = {
  ...qwen,
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  rope_theta: 1_000_000.0,
};

const qwen3 = {
  ...qwen,
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  attention_bias: false,
  eos_token_id: 151_645,
  head_dim: 128,
  max_position_embeddings: 40_960,
  num_key_value_heads: 8,
  rope_scaling: null,
  rope_theta: 1_000_000,
  sliding_window: null,
  tie_word_embeddings: true,
  transformers_version: '4.51.0',
  vocab_size: 151_936,
};

const llama = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  attention_bias: false,
  hidden_act: 'silu',
  initializer_range: 0.02,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  use_cache: true,
};

const qwen25Half = {
  ...qwen2,
  eos_token_id: 151_645,
  hidden_size: 896,
  intermediate_size: 4864,
  max_position_embeddings: 32_768,
  max_window_layers: 21,
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  sliding_window: 32_768,
  tie_word_embeddings: true,
  transformers_version: '4.43.1',
  vocab_size: 151_936,
};

const qwen25Seven = {
  ...qwen2,
  eos_token_id: 151_645,
  hidden_size: 3584,
  intermediate_size: 18_944,
  max_position_embeddings: 32_768,
  max_window_layers: 28,
  num_attention_heads: 28,
  num_hidden_layers: 28,
  num_key_value_heads: 4,
  sliding_window: 131_072,
  tie_word_embeddings: false,
  transformers_version: '4.43.1',
  vocab_size: 152_064,
};

const llama32 = {
  ...llama,
  attention_dropout: 0.0,
  bos_token_id: 128_000,
  eos_token_id: [128_001, 128_008, 128_009],
  head_dim: 64,
  hidden_size: 2048,
  intermediate_size: 8192,
  max_position_embeddings: 131_072,
  mlp_bias: false,
  num_attention_heads: 32,
  num_hidden_layers: 16,
  num_key_value_heads: 8,
  rope_scaling: {
    factor: 32.0,
    high_freq_factor: 4.0,
    low_freq_factor: 1.0,
    original_max_position_embeddings: 8192,
    rope_type: 'llama3',
  },
  rope_theta: 500_000.0,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  transformers_version: '4.45.0.dev0',
  vocab_size: 128_256,
};

const llama2 = {
  ...llama,
  _name_or_path: 'meta-llama/Llama-2-7b-hf',
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_size: 4096,
  intermediate_size: 11_008,
  max_position_embeddings: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 32,
  rope_scaling: null,
  tie_word_embeddings: false,
  torch_dtype: 'float16',
  transformers_version: '4.31.0.dev0',
  vocab_size: 32_000,
};

const { attention_bias: _, ...oldLlama } = llama;

const tinyLlama = {
  ...oldLlama,
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_size: 2048,
  intermediate_size: 5632,
  max_position_embeddings: 2048,
  num_attention_heads: 32,
  num_hidden_layers: 22,
  num_key_value_heads: 4,
  rope_scaling: null,
  tie_word_embeddings: false,
  torch_dtype: 'float32',
  transformers_version: '4.31.0.dev0',
  vocab_size: 32_000,
};

const smol = {
  ...llama,
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_size: 576,
  initializer_range: 0.041666666666666664,
  intermediate_size: 1536,
  is_llama_config: true,
  max_position_embeddings: 8192,
  num_attention_heads: 9,
  num_hidden_layers: 30,
  num_key_value_heads: 3,
  pad_token_id: 2,
  rope_interleaved: false,
  rope_scaling: null,
  rope_theta: 100_000,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  'transformers.js_config': { kv_cache_dtype: { q4f16: 'float16', fp16: 'float16' } },
  transformers_version: '4.42.3',
  vocab_size: 49_152,
};

/** Name, config.json, total of parameters as published, and some of what must be understood of it. */
export const publishedConfigs = [
  ['Qwen2.5-0.5B-Instruct', qwen25Half, 494_032_768, { headSize: 64, rope: { theta: 1e6 }, endOfSequence: [151_645] }],
  [
    'Qwen2.5-0.5B',
    { ...qwen25Half, eos_token_id: 151_643, max_window_layers: 24, use_mrope: false },
    494_032_768,
    { endOfSequence: [151_643], beginningOfSequence: 151_643 },
  ],
  [
    'Qwen2.5-1.5B-Instruct',
    {
      ...qwen25Half,
      hidden_size: 1536,
      intermediate_size: 8960,
      num_attention_heads: 12,
      num_hidden_layers: 28,
    },
    1_543_714_304,
    { headSize: 128, tiedEmbeddings: true },
  ],
  ['Qwen2.5-7B-Instruct', qwen25Seven, 7_615_616_512, { headSize: 128, keyValueHeads: 4, tiedEmbeddings: false }],
  [
    'Qwen3-0.6B',
    {
      ...qwen3,
      hidden_size: 1024,
      intermediate_size: 3072,
      max_window_layers: 28,
      num_attention_heads: 16,
      num_hidden_layers: 28,
    },
    596_049_920,
    { headSize: 128, attentionBias: { qkv: false, output: false } },
  ],
  [
    'Qwen3-4B',
    {
      ...qwen3,
      hidden_size: 2560,
      intermediate_size: 9728,
      max_window_layers: 36,
      num_attention_heads: 32,
      num_hidden_layers: 36,
    },
    4_022_468_096,
    { headSize: 128, heads: 32, maximumPositions: 40_960 },
  ],
  [
    'Llama-3.2-1B-Instruct',
    llama32,
    1_235_814_400,
    {
      endOfSequence: [128_001, 128_008, 128_009],
      rope: {
        theta: 500_000,
        scaling: {
          kind: 'llama3',
          factor: 32,
          lowFrequencyFactor: 1,
          highFrequencyFactor: 4,
          originalMaximumPositions: 8192,
        },
      },
    },
  ],
  [
    'Llama-2-7b-hf',
    llama2,
    6_738_415_616,
    { rope: { theta: 10_000 }, rmsNormEpsilon: 1e-5, beginningOfSequence: 1, endOfSequence: [2] },
  ],
  ['TinyLlama-1.1B-Chat-v1.0', tinyLlama, 1_100_048_384, { keyValueHeads: 4, headSize: 64 }],
  ['SmolLM2-135M', smol, 134_515_008, { padding: 2, rope: { theta: 100_000 } }],
] as const;
