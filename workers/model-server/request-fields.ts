/**
 * Fields that both endpoints share. A field that this server does not implement is refused by name, never ignored; it passes where its
 * value asks for nothing (a penalty of 0, one choice, null).
 */
import { z } from 'zod';
import type { Sampling } from '../../engine/index.js';
import { badRequest } from './api-error.js';
import { mostAlternatives } from './engine-protocol.js';
import { randomSeed, type Inference } from './inference.js';

export const alternatives = z.int().min(0).max(mostAlternatives);
export const tokenCount = z.int().min(1);

export const sharedFields = {
  model: z.string(),
  max_tokens: tokenCount.optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().gt(0).max(1).optional(),
  /** As vLLM has it: 0 or -1 for no limit. */
  top_k: z.int().min(-1).optional(),
  n: z.int().min(1).max(128).optional(),
  seed: z.int().min(0).optional(),
  stop: z
    .union([
      z
        .string()
        .min(1)
        .transform((text) => [text]),
      listOf(z.string().min(1), 0, 16),
    ])
    .optional(),
  stream: z.boolean().optional(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional() }).optional(),
  /** As vLLM has them. */
  prompt_logprobs: alternatives.optional(),
  return_tokens_as_token_ids: z.boolean().optional(),
  /** Names whoever asks; no answer depends on it. */
  user: z.string().optional(),
  ...onlyThese({
    frequency_penalty: 0,
    presence_penalty: 0,
    repetition_penalty: 1,
    min_p: 0,
    best_of: 1,
    echo: false,
    store: false,
    use_beam_search: false,
    ignore_eos: false,
    min_tokens: 0,
  }),
  logit_bias: z.strictObject({}).optional(),
};
const sharedSchema = z.object(sharedFields);
type SharedFields = z.output<typeof sharedSchema>;

/** The length is checked before the elements: zod makes an issue of each wrong element, and breaks down at some 100,000 of them. */
export function listOf<Element extends z.ZodType>(element: Element, minimum: number, maximum: number) {
  const isOfLength = (value: unknown): boolean =>
    Array.isArray(value) && value.length >= minimum && value.length <= maximum;
  const message = `expected a list of ${minimum} to ${maximum} elements`;
  return z.custom<z.input<Element>[]>(isOfLength, message).pipe(z.array(element));
}

function onlyThese<Values extends Readonly<Record<string, number | boolean>>>(values: Values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, z.literal(value).optional()]));
}

/** @throws ApiError 400 that names the first field at fault */
export function parseFields<Fields>(schema: z.ZodType<Fields>, body: unknown): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('invalid_json', 'Expected a JSON object as the body of the request.');
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const name = [...issue.path, issue.keys[0] ?? ''].join('.');
    throw badRequest('unsupported_parameter', `${name}: this server does not know it. Leave it out.`, name);
  }
  const name = issue?.path.join('.') ?? '';
  if (issue?.path.length === 1 && !(name in given))
    throw badRequest('missing_required_parameter', `${name}: expected it in the request, found none.`, name);
  const isUnsupported = issue?.code === 'invalid_value' && issue.values.length === 1;
  const message = `${name}: ${issue?.message ?? 'expected another value'}.`;
  throw badRequest(isUnsupported ? 'unsupported_value' : 'invalid_value', message, name);
}

type Shared = Pick<Inference, 'samples' | 'sampling' | 'stopStrings' | 'promptAlternatives' | 'stream' | 'tokensAsIds'>;

export function sharedInference(fields: SharedFields): Shared {
  const { stream = false, stream_options, prompt_logprobs: promptAlternatives } = fields;
  if (stream_options !== undefined && !stream)
    throw badRequest('invalid_value', 'stream_options: expected stream: true beside it.', 'stream_options');
  if (promptAlternatives !== undefined && stream)
    throw badRequest('unsupported_value', 'prompt_logprobs: expected stream: false beside it.', 'prompt_logprobs');
  return {
    samples: fields.n ?? 1,
    sampling: samplingOf(fields),
    stopStrings: fields.stop ?? [],
    promptAlternatives,
    stream: stream ? { includeUsage: stream_options?.include_usage ?? false } : undefined,
    tokensAsIds: fields.return_tokens_as_token_ids ?? false,
  };
}

/** At temperature 0 the most probable token, always; else drawn, by OpenAI's defaults. */
function samplingOf({ temperature = 1, top_p: topP = 1, top_k = 0, seed }: SharedFields): Sampling | undefined {
  if (temperature === 0) return undefined;
  return { temperature, topP, topK: Math.max(0, top_k), seed: seed ?? randomSeed() };
}
