/**
 * generation_config.json: the defaults of sampling that a model comes with. What is read has a name of its own; everything else
 * is kept as it was, so that writing loses nothing. What of that would change what a model says is told by `unheededSettings`: a
 * server prints it, and the stages that generate observe it.
 */
import { z } from 'zod';
import { writeTextAtomically } from './atomic-file.js';
import { excerpt } from './excerpt.js';
import { invalidField, parseJsonFile } from './json-file.js';
import { readOptionalText } from './regular-file.js';

export interface GenerationConfig {
  /** Tokens that end a sequence; empty when the file is silent, and then those of config.json count. */
  readonly endOfSequence: readonly number[];
  readonly sample: boolean;
  readonly temperature: number;
  /** 0 for no limit. */
  readonly topK: number;
  readonly topP: number;
  readonly maximumNewTokens?: number;
  /** Fields that are none of the above, such as repetition_penalty. */
  readonly others: Readonly<Record<string, unknown>>;
}

const token = z.int().min(0);

const fileSchema = z.looseObject({
  eos_token_id: z.union([token, z.array(token)]).nullish(),
  do_sample: z.boolean().nullish(),
  temperature: z.number().min(0).nullish(),
  top_k: z.int().min(0).nullish(),
  top_p: z.number().positive().max(1).nullish(),
  max_new_tokens: z.int().min(1).nullish(),
});

/**
 * Silent fields have the defaults of transformers: greedy; when sampling, temperature 1, top-k 50, top-p 1.
 * @throws model-config-invalid
 */
export function parseGenerationConfig(json: unknown, source: string): GenerationConfig {
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) throw invalidField(source, parsed.error);
  const { eos_token_id: end, do_sample, temperature, top_k, top_p, max_new_tokens, ...others } = parsed.data;
  return {
    endOfSequence: typeof end === 'number' ? [end] : (end ?? []),
    sample: do_sample ?? false,
    temperature: temperature ?? 1,
    topK: top_k ?? 50,
    topP: top_p ?? 1,
    ...(typeof max_new_tokens === 'number' && { maximumNewTokens: max_new_tokens }),
    others,
  };
}

/**
 * What lies at the path, or undefined when nothing does: the file is optional.
 * @throws model-file-missing when it is there and cannot be read; model-config-invalid
 */
export async function readGenerationConfig(path: string): Promise<GenerationConfig | undefined> {
  const text = await readOptionalText(path);
  return text === undefined ? undefined : parseGenerationConfig(parseJsonFile(text, path), path);
}

/** They describe a model or a library, and change no token. */
const describing = new Set(
  `bos_token_id pad_token_id decoder_start_token_id transformers_version max_length use_cache cache_implementation
  return_dict_in_generate output_attentions output_hidden_states output_scores output_logits`.split(/\s+/),
);

/** With these values, settings of transformers do nothing. */
const neutral: Readonly<Record<string, number>> = {
  repetition_penalty: 1,
  encoder_repetition_penalty: 1,
  length_penalty: 1,
  typical_p: 1,
  num_beams: 1,
  num_beam_groups: 1,
  num_return_sequences: 1,
  guidance_scale: 1,
};

const doesNothing = (name: string, value: unknown): boolean =>
  describing.has(name) ||
  name.startsWith('_') ||
  value === null ||
  value === false ||
  value === (neutral[name] ?? 0) ||
  (Array.isArray(value) && value.length === 0);

const mostTold = 16;

/** Settings of the model, with their values, that would change what it says and that no generation here knows. */
export function unheededSettings(config: GenerationConfig | undefined): readonly string[] {
  const found = Object.entries(config?.others ?? {}).filter(([name, value]) => !doesNothing(name, value));
  const told = found.slice(0, mostTold).map(([name, value]) => excerpt(`${name} ${JSON.stringify(value)}`));
  return found.length > mostTold ? [...told, `and ${found.length - mostTold} more`] : told;
}

/** Writes the file, replacing what is there in one step. Settings of sampling are written only for a model that samples. */
export function writeGenerationConfig(path: string, config: GenerationConfig): Promise<void> {
  const { endOfSequence, sample, temperature, topK, topP, maximumNewTokens, others } = config;
  const fields = {
    ...others,
    ...(endOfSequence.length > 0 && { eos_token_id: endOfSequence.length > 1 ? endOfSequence : endOfSequence[0] }),
    ...(maximumNewTokens !== undefined && { max_new_tokens: maximumNewTokens }),
    do_sample: sample,
    ...(sample && { temperature, top_k: topK, top_p: topP }),
  };
  return writeTextAtomically(path, `${JSON.stringify(fields, undefined, 2)}\n`);
}
