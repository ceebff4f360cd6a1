/**
 * What is asked: a conversation up to the turn that the teacher is to answer, as the body of a chat completion. The same row and
 * options give the same body, byte for byte once it is canonical: its digest is what a recorded answer is found by.
 */
import type { OmittableField, TeacherEndpoint } from '../../config/teacher-schema.js';
import { canonicalJson, type JsonObject } from '../../storage/index.js';
import type { PromptRow } from './prompt-rows.js';

export interface Asking {
  readonly model: string;
  readonly system?: string | undefined;
  readonly temperature: number;
  readonly topP: number;
  readonly maximumTokens: number;
  /** Under which name `maximumTokens` is sent. */
  readonly tokenLimitField: TeacherEndpoint['tokenLimitField'];
  /** What is not sent, and is as the endpoint has it. */
  readonly omittedFields: TeacherEndpoint['omittedFields'];
  readonly seed: number;
}

/** @param sample which of the answers to this prompt, from 0 */
export function chatRequest({ messages }: PromptRow, asking: Asking, sample: number): JsonObject {
  const { model, system, temperature, topP, maximumTokens, tokenLimitField, omittedFields, seed } = asking;
  const sampling: Record<OmittableField, number> = { temperature, top_p: topP, seed: seed + sample, n: 1 };
  for (const field of omittedFields) delete sampling[field];
  const instructed = system === undefined || messages.some(({ role }) => role === 'system' || role === 'developer');
  return {
    model,
    messages: instructed ? messages : [{ role: 'system', content: system }, ...messages],
    ...sampling,
    [tokenLimitField]: maximumTokens,
    stream: false,
  };
}

/** Tokens that a chat template puts around each message: more than any in use. */
const tokensAroundMessage = 16;
/** And once: a system message of its own, what opens the answer. */
const tokensAroundAll = 256;

/**
 * More tokens than the prompt can have. A tokenizer that falls back to bytes makes at most one token of each byte; the JSON of the
 * messages has at least as many bytes as their text.
 */
export const promptTokenBound = ({ messages }: JsonObject): number => {
  const list = Array.isArray(messages) ? messages : [];
  return Buffer.byteLength(canonicalJson(list)) + tokensAroundMessage * list.length + tokensAroundAll;
};
