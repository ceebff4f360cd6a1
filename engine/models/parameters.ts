/** How much work a token of training is. */
import type { ModelConfig } from '../files/model-config.js';
import { expectedTensors } from '../files/model-tensors.js';
import { sizeOf } from '../tracing/tensor-spec.js';
import { headName } from './decoder.js';

/**
 * Floating-point operations per token of a training step, forward and backward: 6·M + 12·L·H·E·T, where M counts the numbers of
 * all matrices that tokens are multiplied with (the output head always, embeddings that are only looked up never), and T is the
 * length of a row. Causality is not discounted and recomputation not counted, as is usual for shares of a machine's peak.
 * Source: Chowdhery et al., PaLM (2022), appendix B.
 * @param tokens of a row, since each attends to as many.
 */
export function trainingFlopsPerToken(config: ModelConfig, tokens: number): number {
  const { layers, heads, headSize } = config;
  const head = headName(config);
  const multiplied = [...expectedTensors(config)]
    .filter(([name, shape]) => shape.length === 2 && (name === head || name.startsWith('model.layers.')))
    .reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  return 6 * multiplied + 12 * layers * heads * headSize * tokens;
}
