/**
 * What tensors a configuration has: names, shapes, how many numbers, how much work. Names and order are those of the files that
 * transformers writes.
 */
import { NightstillError } from '../../config/errors.js';
import type { ModelConfig } from '../files/model-config.js';

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** The shape of every tensor by its name. Tied embeddings are one tensor, under the name of the embeddings. */
export function parameterShapes(config: ModelConfig): Shapes {
  const { hiddenSize, vocabularySize, layers, tiedEmbeddings } = config;
  const shapes: Record<string, readonly number[]> = { 'model.embed_tokens.weight': [vocabularySize, hiddenSize] };
  for (let layer = 0; layer < layers; layer++)
    for (const [name, shape] of Object.entries(layerShapes(config))) shapes[`${layerPrefix(layer)}${name}`] = shape;
  shapes['model.norm.weight'] = [hiddenSize];
  if (!tiedEmbeddings) shapes['lm_head.weight'] = [vocabularySize, hiddenSize];
  return shapes;
}

/** How the names of a layer's tensors begin. */
export const layerPrefix = (layer: number): string => `model.layers.${layer}.`;

function layerShapes(config: ModelConfig): Shapes {
  const { heads, keyValueHeads, headSize, hiddenSize, intermediateSize, attentionBias, mlpBias } = config;
  const matrix = (name: string, outputs: number, inputs: number, biased: boolean): Shapes => ({
    [`${name}.weight`]: [outputs, inputs],
    ...(biased && { [`${name}.bias`]: [outputs] }),
  });
  return {
    ...matrix('self_attn.q_proj', heads * headSize, hiddenSize, attentionBias.qkv),
    ...matrix('self_attn.k_proj', keyValueHeads * headSize, hiddenSize, attentionBias.qkv),
    ...matrix('self_attn.v_proj', keyValueHeads * headSize, hiddenSize, attentionBias.qkv),
    ...matrix('self_attn.o_proj', hiddenSize, heads * headSize, attentionBias.output),
    ...(config.family === 'qwen3' && { 'self_attn.q_norm.weight': [headSize], 'self_attn.k_norm.weight': [headSize] }),
    ...matrix('mlp.gate_proj', intermediateSize, hiddenSize, mlpBias),
    ...matrix('mlp.up_proj', intermediateSize, hiddenSize, mlpBias),
    ...matrix('mlp.down_proj', hiddenSize, intermediateSize, mlpBias),
    'input_layernorm.weight': [hiddenSize],
    'post_attention_layernorm.weight': [hiddenSize],
  };
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** How many numbers the model has; tied embeddings once. */
export const parameterCount = (config: ModelConfig): number =>
  Object.values(parameterShapes(config)).reduce((sum, shape) => sum + sizeOf(shape), 0);

/**
 * Floating-point operations per token of a training step, forward and backward: 6·M + 12·L·H·E·T, where M counts the numbers of
 * all matrices that tokens are multiplied with (the output head always, embeddings that are only looked up never), and T is the
 * length of a row. Causality is not discounted and recomputation not counted, as is usual for shares of a machine's peak.
 * Source: Chowdhery et al., PaLM (2022), appendix B.
 * @param tokens of a row, since each attends to as many.
 */
export function trainingFlopsPerToken(config: ModelConfig, tokens: number): number {
  const { layers, heads, headSize, hiddenSize, vocabularySize } = config;
  const matrices = Object.values(layerShapes(config)).filter((shape) => shape.length === 2);
  const perLayer = matrices.reduce((sum, shape) => sum + sizeOf(shape), 0);
  const multiplied = layers * perLayer + vocabularySize * hiddenSize;
  return 6 * multiplied + 12 * layers * heads * headSize * tokens;
}

/** What files of older or other programs may hold besides: values that follow from the config, or copies of tied embeddings. */
const isRedundant = (name: string, { tiedEmbeddings }: ModelConfig): boolean =>
  (tiedEmbeddings && name === 'lm_head.weight') ||
  /^model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq$/.test(name);

/**
 * Compares what a file holds with what the config asks for; nothing missing, unknown or of another shape passes.
 * @throws model-weights-mismatch, naming the tensors.
 */
export function checkParameters(config: ModelConfig, found: Shapes): void {
  const expected = parameterShapes(config);
  const missing = Object.keys(expected).filter((name) => found[name] === undefined);
  const unknown = Object.keys(found).filter((name) => expected[name] === undefined && !isRedundant(name, config));
  const other = Object.entries(expected).flatMap(([name, shape]) => {
    const held = found[name];
    const same =
      held === undefined || (held.length === shape.length && held.every((size, axis) => size === shape[axis]));
    return same ? [] : [`${name} [${held.join(', ')}] instead of [${shape.join(', ')}]`];
  });
  const faults = [listed('missing', missing), listed('unknown', unknown), listed('of another shape', other)];
  const message = faults.filter((fault) => fault !== '').join('; ');
  if (message !== '')
    throw new NightstillError('model-weights-mismatch', `Expected the tensors of the config; found ${message}.`);
}

const listedAtMost = 8;

const listed = (fault: string, names: readonly string[]): string => {
  if (names.length === 0) return '';
  const rest = names.length > listedAtMost ? ` and ${names.length - listedAtMost} more` : '';
  return `${fault}: ${names.slice(0, listedAtMost).join(', ')}${rest}`;
};
