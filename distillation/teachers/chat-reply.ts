/**
 * Reads a chat completion once it has arrived whole. What it means follows from its content alone, so that a recorded reply means
 * the same whenever it is read again. Refusals and cut-off answers are replies; anything that is not a chat completion is an error, and
 * so is an answer that broke off at the endpoint.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { isJsonArray, isJsonObject, type Json } from '../../storage/index.js';
import type { Served, Wire } from './wire.js';

export type Outcome = 'answered' | 'cut-off' | 'refused' | 'empty';

export interface Reply extends Served {
  readonly outcome: Outcome;
  /** The answer, or the words of the refusal; may be empty, whatever the outcome. */
  readonly text: string;
}

const count = z.int().nonnegative();

/** Some endpoints (Mistral's with its reasoning models) say a list of parts; those of another type, such as `thinking`, are no answer. */
const partSchema = z.looseObject({
  type: z.string(),
  text: z.string().nullish().catch(null),
  refusal: z.string().nullish().catch(null),
});

const messageSchema = z.looseObject({
  content: z.union([z.string(), z.array(partSchema)]).nullish(),
  refusal: z.string().nullish(),
});

const completionSchema = z.looseObject({
  model: z.string().min(1),
  system_fingerprint: z.string().nullish(),
  choices: z
    .array(
      z.looseObject({
        finish_reason: z.string(),
        message: messageSchema,
      }),
    )
    .min(1),
  // Token counts of another form do not spoil an answer: it is paid for as if the endpoint had not counted.
  usage: z.looseObject({ prompt_tokens: count, completion_tokens: count }).nullish().catch(null),
});

/** A reply as it arrives. @throws teacher-reply-invalid, teacher-unavailable for an answer that broke off: asked again, it may be whole */
export function readReply(body: Json): Reply {
  const reply = recallReply(body);
  if (!hasBrokenOff(reply)) return reply;
  throw new NightstillError(
    'teacher-unavailable',
    `expected a whole answer, found one that broke off (${reply.finishReason})`,
  );
}

/** A reply as it was recorded, also by a release that took every answer for whole. @throws teacher-reply-invalid */
function recallReply(body: Json): Reply {
  const parsed = completionSchema.safeParse(body);
  const choice = parsed.data?.choices[0];
  if (!parsed.data || !choice) {
    const issue = parsed.error?.issues[0];
    throw replyInvalid(
      'a chat completion',
      `${issue?.path.join('.') || 'the reply'}: ${issue?.message ?? 'no choice'}`,
    );
  }
  const { model, system_fingerprint: fingerprint, usage } = parsed.data;
  const { finish_reason: finishReason } = choice;
  const message = wordsOf(choice.message);
  return {
    outcome: outcomeOf(finishReason, message),
    text: message.content || message.refusal || '',
    finishReason,
    servedModel: model,
    ...(typeof fingerprint === 'string' && { fingerprint }),
    ...(usage && { usage: { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens } }),
  };
}

/** A reply without what differs between two executions that say the same: ids, times, timings, the host's fingerprint. */
function withoutAccidents(body: Json): Json {
  if (!isJsonObject(body)) return body;
  const { model, usage, choices = [] } = body;
  const said = isJsonArray(choices) ? choices.map(saidIn) : choices;
  return { ...(model !== undefined && { model }), ...(usage !== undefined && { usage }), choices: said };
}

function saidIn(choice: Json): Json {
  if (!isJsonObject(choice)) return choice;
  const { index = 0, finish_reason: reason = null, message = null } = choice;
  return { index, finish_reason: reason, message };
}

export const chatWire: Wire<Reply> = {
  path: '/chat/completions',
  what: 'a chat completion',
  read: readReply,
  keep: withoutAccidents,
  recall: recallReply,
};

interface ChatMessage {
  readonly content?: string | null | undefined;
  readonly refusal?: string | null | undefined;
}

function wordsOf({ content, refusal }: z.output<typeof messageSchema>): ChatMessage {
  if (!Array.isArray(content)) return { content, refusal };
  const said = (type: 'text' | 'refusal') =>
    content.map((part) => (part.type === type ? (part[type] ?? '') : '')).join('');
  return { content: said('text'), refusal: refusal || said('refusal') };
}

/**
 * Why an answer ends, where it is not its own end, in the words of OpenAI, Mistral (`model_length`), DeepSeek
 * (`insufficient_system_resource`), z.AI (`sensitive`, `network_error`, `model_context_window_exceeded`), vLLM (`abort`), OpenRouter
 * (`error`) and gateways to Anthropic (`max_tokens`). Any other word stands for an end: `stop`, `end_turn`, `eos`.
 */
const endsOf = {
  'cut-off': ['length', 'model_length', 'model_context_window_exceeded', 'max_tokens'],
  refused: ['content_filter', 'sensitive'],
  'broken off': ['error', 'network_error', 'insufficient_system_resource', 'abort'],
} as const;

const endedAs = (end: keyof typeof endsOf, finishReason: string): boolean =>
  endsOf[end].some((reason) => reason === finishReason);

const hasBrokenOff = ({ finishReason }: Reply): boolean => endedAs('broken off', finishReason);

function outcomeOf(finishReason: string, { content, refusal }: ChatMessage): Outcome {
  if (refusal || endedAs('refused', finishReason)) return 'refused';
  if (endedAs('cut-off', finishReason) || endedAs('broken off', finishReason)) return 'cut-off';
  return content ? 'answered' : 'empty';
}

/** What hosted endpoints append to the name of a model to say which snapshot of it answered. */
const snapshot = /^-(\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|\d{3})$/;

/** @throws teacher-model-mismatch */
export function confirmModel({ servedModel }: Served, expected: string): void {
  if (servedModel === expected) return;
  if (servedModel.startsWith(expected) && snapshot.test(servedModel.slice(expected.length))) return;
  throw new NightstillError(
    'teacher-model-mismatch',
    `expected an answer of ${JSON.stringify(expected)}, found one of ${JSON.stringify(servedModel.slice(0, 200))}`,
  );
}

export const replyInvalid = (expected: string, found: string, cause?: unknown): NightstillError =>
  new NightstillError('teacher-reply-invalid', `expected ${expected}, found ${found}`, { cause });
