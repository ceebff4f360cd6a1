/** `/v1/completions`: texts or tokens, continued as they are. */
import { z } from 'zod';
import type { GeneratedToken } from '../../engine/index.js';
import type { Inference } from './inference.js';
import type { ModelText } from './model-text.js';
import { checkPromptEntries, type OpenForm } from './reply-form.js';
import { alternatives, parseFields, sharedFields, sharedInference } from './request-fields.js';

type Prompt = string | readonly number[];

const isToken = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31;

const isPrompt = (value: unknown): value is Prompt =>
  typeof value === 'string' || (Array.isArray(value) && value.length > 0 && value.every(isToken));

/** Of one kind, as OpenAI has it. */
const arePrompts = (value: unknown): value is readonly Prompt[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= 128 &&
  value.every((one) => isPrompt(one) && typeof one === typeof value[0]);

/** One check of the whole: prompts are long. */
const promptSchema = z
  .custom<Prompt | readonly Prompt[]>(
    (value) => isPrompt(value) || arePrompts(value),
    'expected a text, or tokens from 0 to 2147483647, or a list of 1 to 128 texts or 1 to 128 lists of tokens',
  )
  .transform((given) => (isPrompt(given) ? [given] : given));

const completionSchema = z.strictObject({
  ...sharedFields,
  prompt: promptSchema,
  logprobs: alternatives.optional(),
});

/** What OpenAI's API gives when nothing is said. */
const defaultNewTokens = 16;

/** @throws ApiError 400 */
export function parseCompletion(body: unknown, text: ModelText): Inference & { readonly model: string } {
  const fields = parseFields(completionSchema, body);
  const { model, max_tokens = defaultNewTokens, logprobs } = fields;
  const shared = sharedInference(fields);
  const prompts = fields.prompt.map((one) => (typeof one === 'string' ? text.promptOf(one) : Int32Array.from(one)));
  checkPromptEntries(prompts, shared.samples, shared.promptAlternatives);
  return {
    ...shared,
    model,
    prompts,
    maximumNewTokens: max_tokens,
    logProbabilities: logprobs !== undefined,
    mostProbable: logprobs ?? 0,
  };
}

export const openCompletionForm: OpenForm = (text, { logProbabilities, tokensAsIds }) => {
  const nameOf = (id: number): string => text.nameOf(id, tokensAsIds).token;
  const logprobs = (generated: readonly GeneratedToken[], begin: number): object | null => {
    if (!logProbabilities) return null;
    let end = begin;
    return {
      tokens: generated.map(({ id }) => nameOf(id)),
      token_logprobs: generated.map(({ logProbability }) => logProbability),
      // The token itself comes last: where an alternative has the same text, this entry replaces it.
      top_logprobs: generated.map(({ id, logProbability, mostProbable = [] }) =>
        Object.fromEntries(
          [...mostProbable, { id, logProbability }].map((one) => [nameOf(one.id), one.logProbability]),
        ),
      ),
      text_offset: generated.map((token) => {
        const offset = end;
        end += token.text.length;
        return offset;
      }),
    };
  };
  return {
    idPrefix: 'cmpl-',
    objects: { whole: 'text_completion', part: 'text_completion' },
    opening: () => undefined,
    choice: ({ index, text: answer, tokens: generated, reason }, prompt_logprobs) => ({
      index,
      text: answer,
      logprobs: logprobs(generated, 0),
      finish_reason: reason,
      ...(prompt_logprobs !== undefined && { prompt_logprobs }),
    }),
    part: ({ index, text: piece, tokens: generated, reason, offset }) => ({
      index,
      text: piece,
      logprobs: generated.length === 0 ? null : logprobs(generated, offset),
      finish_reason: reason,
    }),
    beside: () => ({}),
  };
};
