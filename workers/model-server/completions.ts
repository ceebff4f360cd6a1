/** `/v1/completions`: texts or tokens, continued as they are. */
import { z } from 'zod';
import type { GeneratedToken } from '../../engine/index.js';
import type { Inference } from './inference.js';
import type { ModelText } from './model-text.js';
import { promptLogProbabilities, type OpenForm } from './reply-form.js';
import { alternatives, parseFields, sharedFields, sharedInference } from './request-fields.js';

const tokens = z.array(z.int().min(0)).min(1);

const completionSchema = z.strictObject({
  ...sharedFields,
  prompt: z.union([z.string(), tokens, z.array(z.string()).min(1).max(128), z.array(tokens).min(1).max(128)]),
  logprobs: alternatives.optional(),
});

/** What OpenAI's API gives when nothing is said. */
const defaultNewTokens = 16;

/** @throws ApiError 400 */
export function parseCompletion(body: unknown, text: ModelText): Inference & { readonly model: string } {
  const fields = parseFields(completionSchema, body);
  const { model, prompt, max_tokens = defaultNewTokens, logprobs } = fields;
  const prompts = typeof prompt === 'string' || typeof prompt[0] === 'number' ? [prompt as string | number[]] : prompt;
  return {
    ...sharedInference(fields),
    model,
    prompts: (prompts as (string | number[])[]).map((one) =>
      typeof one === 'string' ? text.promptOf(one) : Int32Array.from(one),
    ),
    maximumNewTokens: max_tokens,
    logProbabilities: logprobs !== undefined,
    mostProbable: logprobs ?? 0,
  };
}

export const openCompletionForm: OpenForm = (text, { logProbabilities, promptAlternatives, tokensAsIds }) => {
  const nameOf = (id: number): string => text.nameOf(id, tokensAsIds).token;
  const logprobs = (generated: readonly GeneratedToken[], begin: number): object | null => {
    if (!logProbabilities) return null;
    let end = begin;
    return {
      tokens: generated.map(({ id }) => nameOf(id)),
      token_logprobs: generated.map(({ logProbability }) => logProbability),
      // The token itself comes last: where another has the same text, it is the one that counts.
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
    choice: ({ index, text: answer, tokens: generated, reason, prompt }, score) => ({
      index,
      text: answer,
      logprobs: logprobs(generated, 0),
      finish_reason: reason,
      ...(score !== undefined &&
        promptAlternatives !== undefined && {
          prompt_logprobs: promptLogProbabilities(text, prompt, score, promptAlternatives),
        }),
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
