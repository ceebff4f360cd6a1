/**
 * config.json of a decoder-only model, in the spelling of transformers 4 or 5, as the few numbers that its computation needs.
 * It promises that nothing which would change the numbers is ignored: a sliding window in use, an unknown rope type, a
 * quantisation, a field that nobody here has heard of: each is refused by name. Defaults are those of transformers' classes.
 */
import { NightstillError } from '../../config/errors.js';
import { writeTextAtomically } from './atomic-file.js';
import { invalidField, parseJsonFile } from './json-file.js';
import { refuseWhatIsNotKnown } from './model-config-fields.js';
import { architectures, configFileSchema, familyOf, type ConfigFile, type Family } from './model-config-schema.js';
import { readText } from './regular-file.js';
import { rotaryFields, rotaryOf, type Rotary } from './rotary-config.js';

export type { Family };

export interface ModelConfig {
  readonly family: Family;
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly maximumPositions: number;
  readonly rmsNormEpsilon: number;
  readonly tiedEmbeddings: boolean;
  readonly rope: Rotary;
  readonly attentionBias: { readonly qkv: boolean; readonly output: boolean };
  readonly mlpBias: boolean;
  readonly endOfSequence: readonly number[];
  readonly beginningOfSequence?: number;
  readonly padding?: number;
}

/** How numbers are stored in weight files that go with a config. */
export type WeightFormat = 'float32' | 'float16' | 'bfloat16';

/**
 * @param path of config.json.
 * @throws model-file-missing when it cannot be read; else as {@link parseModelConfig}.
 */
export async function readModelConfig(path: string): Promise<ModelConfig> {
  return parseModelConfig(parseJsonFile(await readText(path), path), path);
}

/**
 * @param source what the messages call it, such as its path.
 * @throws model-config-invalid when a field is missing, of the wrong type, or contradicts another;
 *   model-unsupported when the model asks for what this engine does not compute.
 */
export function parseModelConfig(json: unknown, source: string): ModelConfig {
  const family = familyOf(json, source);
  const parsed = configFileSchema.safeParse(json);
  if (!parsed.success) throw invalidField(source, parsed.error);
  const file = parsed.data;
  refuseWhatIsNotKnown(file, family, source);
  const config = { ...sizesOf(file, family), ...biasesOf(file, family), ...specialTokensOf(file, family) };
  const complete: ModelConfig = { family, ...config, rope: rotaryOf(file, config.maximumPositions, source) };
  checkSizes(complete, source);
  return complete;
}

/** What transformers' classes assume where config.json is silent (Qwen2Config, Qwen3Config, LlamaConfig). */
const defaults = {
  qwen2: { vocabularySize: 151_936, intermediateSize: 22_016, maximumPositions: 32_768, keyValueHeads: 32 },
  qwen3: { vocabularySize: 151_936, intermediateSize: 22_016, maximumPositions: 32_768, keyValueHeads: 32 },
  llama: { vocabularySize: 32_000, intermediateSize: 11_008, maximumPositions: 2048, keyValueHeads: undefined },
} as const;

const qwen3HeadSize = 128;

function sizesOf(file: ConfigFile, family: Family) {
  const { vocabularySize, intermediateSize, maximumPositions, keyValueHeads } = defaults[family];
  const hiddenSize = file.hidden_size ?? 4096;
  const heads = file.num_attention_heads ?? 32;
  return {
    vocabularySize: file.vocab_size ?? vocabularySize,
    hiddenSize,
    intermediateSize: file.intermediate_size ?? intermediateSize,
    layers: file.num_hidden_layers ?? 32,
    heads,
    keyValueHeads: (file.num_key_value_heads === undefined ? keyValueHeads : file.num_key_value_heads) ?? heads,
    headSize: file.head_dim ?? (family === 'qwen3' ? qwen3HeadSize : hiddenSize / heads),
    maximumPositions: file.max_position_embeddings ?? maximumPositions,
    rmsNormEpsilon: file.rms_norm_eps ?? 1e-6,
    tiedEmbeddings: file.tie_word_embeddings ?? false,
  };
}

/** Qwen2's biases are part of its architecture; transformers reads no field for them. */
function biasesOf(file: ConfigFile, family: Family): Pick<ModelConfig, 'attentionBias' | 'mlpBias'> {
  if (family === 'qwen2') return { attentionBias: { qkv: true, output: false }, mlpBias: false };
  const attention = file.attention_bias ?? false;
  return {
    attentionBias: { qkv: attention, output: attention },
    mlpBias: family === 'llama' && (file.mlp_bias ?? false),
  };
}

function specialTokensOf(file: ConfigFile, family: Family) {
  const end = file.eos_token_id === undefined && family === 'llama' ? 2 : (file.eos_token_id ?? []);
  const beginning = file.bos_token_id === undefined && family === 'llama' ? 1 : file.bos_token_id;
  const padding = file.pad_token_id;
  return {
    endOfSequence: typeof end === 'number' ? [end] : end,
    ...(typeof beginning === 'number' && { beginningOfSequence: beginning }),
    ...(typeof padding === 'number' && padding >= 0 && { padding }),
  };
}

function checkSizes(config: ModelConfig, source: string): void {
  const { heads, keyValueHeads, headSize, hiddenSize } = config;
  if (!Number.isInteger(headSize))
    throw invalid(
      source,
      `hidden_size ${hiddenSize} is no multiple of num_attention_heads ${heads}, and head_dim is absent`,
    );
  if (headSize % 2 !== 0) throw invalid(source, `head_dim must be even for rotary positions, found ${headSize}`);
  if (heads % keyValueHeads !== 0)
    throw invalid(source, `num_attention_heads ${heads} is no multiple of num_key_value_heads ${keyValueHeads}`);
}

const invalid = (source: string, found: string): NightstillError =>
  new NightstillError('model-config-invalid', `${source}: ${found}.`);

/** The fields of config.json for a model, in the spelling that transformers 4 writes and 5 reads as well. */
export function modelConfigFields(config: ModelConfig, format: WeightFormat): Readonly<Record<string, unknown>> {
  const { family } = config;
  return {
    architectures: [architectures[family]],
    model_type: family,
    vocab_size: config.vocabularySize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headSize,
    hidden_act: 'silu',
    max_position_embeddings: config.maximumPositions,
    rms_norm_eps: config.rmsNormEpsilon,
    tie_word_embeddings: config.tiedEmbeddings,
    ...rotaryFields(config.rope),
    ...(family !== 'qwen2' && { attention_bias: config.attentionBias.qkv }),
    ...(family === 'llama' ? { mlp_bias: config.mlpBias } : { use_sliding_window: false, sliding_window: null }),
    attention_dropout: 0,
    initializer_range: 0.02,
    use_cache: true,
    bos_token_id: config.beginningOfSequence ?? null,
    eos_token_id: config.endOfSequence.length > 1 ? config.endOfSequence : (config.endOfSequence[0] ?? null),
    pad_token_id: config.padding ?? null,
    torch_dtype: format,
  };
}

/** Writes config.json, replacing what is there in one step. */
export const writeModelConfig = (path: string, config: ModelConfig, format: WeightFormat): Promise<void> =>
  writeTextAtomically(path, `${withDecimalPoints(JSON.stringify(modelConfigFields(config, format), undefined, 2))}\n`);

/** transformers 4 warns of these when they look like integers. */
const withDecimalPoints = (json: string): string =>
  json.replaceAll(
    /^( *"(?:rope_theta|factor|low_freq_factor|high_freq_factor|attention_dropout)": \d+)(,?)$/gm,
    '$1.0$2',
  );
