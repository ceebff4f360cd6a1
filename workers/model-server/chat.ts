/** `/v1/chat/completions`: conversations as the chat template of the model writes them. */
import { z } from 'zod';
import type { GeneratedToken } from '../../engine/index.js';
import { badRequest } from './api-error.js';
import type { Inference } from './inference.js';
import type { ModelText } from './model-text.js';
import { checkPromptEntries, type OpenForm } from './reply-form.js';
import { alternatives, listOf, parseFields, sharedFields, sharedInference, tokenCount } from './request-fields.js';

interface TextPart {
  readonly type: 'text';
  readonly text: string;
}

const isTextPart = (part: Readonly<Record<string, unknown>> | null): boolean =>
  part?.['type'] === 'text' && typeof part['text'] === 'string' && Object.keys(part).length === 2;

/** One check of the whole, however many parts there are. */
const contentSchema = z
  .custom<string | readonly TextPart[]>(
    (value) => typeof value === 'string' || (Array.isArray(value) && value.every(isTextPart)),
    'expected a text, or a list of {"type": "text", "text": …}',
  )
  .transform((given) => (typeof given === 'string' ? given : given.map(({ text }) => text).join('\n')));

const messageSchema = z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: contentSchema });

const chatSchema = z.strictObject({
  ...sharedFields,
  messages: listOf(messageSchema, 1, 10_000),
  max_completion_tokens: tokenCount.optional(),
  logprobs: z.boolean().optional(),
  top_logprobs: alternatives.optional(),
  response_format: z.strictObject({ type: z.literal('text') }).optional(),
});

/** @throws ApiError 400 */
export function parseChat(body: unknown, text: ModelText): Inference & { readonly model: string } {
  const fields = parseFields(chatSchema, body);
  const { model, messages, max_tokens, max_completion_tokens, logprobs = false, top_logprobs } = fields;
  if (max_tokens !== undefined && max_completion_tokens !== undefined)
    throw badRequest('invalid_value', 'max_tokens: expected it or max_completion_tokens, found both.', 'max_tokens');
  if (top_logprobs !== undefined && !logprobs)
    throw badRequest('invalid_value', 'top_logprobs: expected logprobs: true beside it.', 'top_logprobs');
  const shared = sharedInference(fields);
  const prompt = text.chatPromptOf(messages);
  checkPromptEntries([prompt], 1, shared.promptAlternatives);
  return {
    ...shared,
    model,
    prompts: [prompt],
    maximumNewTokens: max_completion_tokens ?? max_tokens,
    logProbabilities: logprobs,
    mostProbable: top_logprobs ?? 0,
  };
}

export const openChatForm: OpenForm = (text, { logProbabilities, tokensAsIds }) => {
  const known = (id: number, logprob: number | undefined) => ({ ...text.nameOf(id, tokensAsIds), logprob });
  const logprobs = (tokens: readonly GeneratedToken[]): object | null =>
    logProbabilities
      ? {
          content: tokens.map(({ id, logProbability, mostProbable = [] }) => ({
            ...known(id, logProbability),
            top_logprobs: mostProbable.map((other) => known(other.id, other.logProbability)),
          })),
          refusal: null,
        }
      : null;
  const choice = (index: number, content: object, rest: object): object => ({ index, ...content, ...rest });
  return {
    idPrefix: 'chatcmpl-',
    objects: { whole: 'chat.completion', part: 'chat.completion.chunk' },
    opening: (index) =>
      choice(index, { delta: { role: 'assistant', content: '' } }, { logprobs: null, finish_reason: null }),
    choice: ({ index, text: content, tokens, reason }) =>
      choice(
        index,
        { message: { role: 'assistant', content, refusal: null } },
        { logprobs: logprobs(tokens), finish_reason: reason },
      ),
    part: ({ index, text: content, tokens, reason }) =>
      choice(
        index,
        { delta: content === '' ? {} : { content } },
        { logprobs: tokens.length === 0 ? null : logprobs(tokens), finish_reason: reason },
      ),
    beside: ([prompt_logprobs]) => (prompt_logprobs === undefined ? {} : { prompt_logprobs }),
  };
};
