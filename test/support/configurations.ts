/** Small configurations of the three families. */
import type { ModelConfig } from '../../engine/files/model-config.js';

const common = {
  vocabularySize: 32,
  hiddenSize: 16,
  intermediateSize: 24,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headSize: 4,
  maximumPositions: 64,
  rmsNormEpsilon: 1e-6,
  mlpBias: false,
  endOfSequence: [1],
  rope: { theta: 10_000 },
} as const;

export const configurations = {
  qwen2: { ...common, family: 'qwen2', tiedEmbeddings: true, attentionBias: { qkv: true, output: false } },
  qwen3: {
    ...common,
    family: 'qwen3',
    headSize: 8,
    tiedEmbeddings: true,
    attentionBias: { qkv: false, output: false },
  },
  llama: { ...common, family: 'llama', tiedEmbeddings: false, attentionBias: { qkv: false, output: false } },
} as const satisfies Record<ModelConfig['family'], ModelConfig>;
