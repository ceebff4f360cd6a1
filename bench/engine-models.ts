/** The models that the engine's bench trains, scores and generates with: llama-like, tied embeddings, random weights. */

import type { ModelConfig } from '../engine/files/model-config.js';

export interface ModelShape {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly vocabularySize: number;
}

export type ModelName = keyof typeof modelShapes;

/** 2.6, 5.8, 29.5 and 20.0 million parameters; the fourth is as deep as models of half a billion, the last has the ids of Qwen. */
export const modelShapes = {
  '3M': { hiddenSize: 192, intermediateSize: 512, layers: 4, heads: 3, vocabularySize: 4096 },
  '5M': { hiddenSize: 256, intermediateSize: 688, layers: 6, heads: 4, vocabularySize: 4096 },
  '30M': { hiddenSize: 512, intermediateSize: 1376, layers: 8, heads: 8, vocabularySize: 8192 },
  '24 layers': { hiddenSize: 256, intermediateSize: 688, layers: 24, heads: 4, vocabularySize: 4096 },
  'Qwen vocabulary': { hiddenSize: 64, intermediateSize: 128, layers: 1, heads: 1, vocabularySize: 151_936 },
} as const satisfies Record<string, ModelShape>;

export const configOf = (shape: ModelShape): ModelConfig => ({
  family: 'llama',
  ...shape,
  keyValueHeads: shape.heads,
  headSize: shape.hiddenSize / shape.heads,
  maximumPositions: 1024,
  rmsNormEpsilon: 1e-5,
  tiedEmbeddings: true,
  rope: { theta: 10_000 },
  attentionBias: { qkv: false, output: false },
  mlpBias: false,
  endOfSequence: [2],
  beginningOfSequence: 1,
});
