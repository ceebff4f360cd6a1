/** What the replies of both endpoints share; each endpoint says how its choices look. */
import type { GeneratedToken, GenerationEnd } from '../../engine/index.js';
import { badRequest } from './api-error.js';
import type { Inference, ScoredPrompt } from './inference.js';
import type { ModelText } from './model-text.js';

/** A continuation that is finished. */
export interface FinishedSequence {
  readonly index: number;
  readonly tokens: readonly GeneratedToken[];
  readonly text: string;
  readonly reason: FinishReason;
}

export type FinishReason = 'stop' | 'length';

export const finishReasonOf = ({ reason }: GenerationEnd): FinishReason => (reason === 'length' ? 'length' : 'stop');

/** A new part of one choice of a stream: a token and the text that can be shown with it, or its end. */
export interface StreamPart {
  readonly index: number;
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
  readonly reason: FinishReason | null;
  /** Where its text begins in the answer. */
  readonly offset: number;
}

export interface ReplyForm {
  readonly idPrefix: string;
  readonly objects: { readonly whole: string; readonly part: string };
  /** What a stream says of each choice before its first token. */
  readonly opening: (index: number) => object | undefined;
  readonly choice: (sequence: FinishedSequence, prompt: PromptEntries | undefined) => object;
  readonly part: (part: StreamPart) => object;
  /** Fields beside the choices. */
  readonly beside: (prompts: readonly PromptEntries[]) => object;
}

export type OpenForm = (text: ModelText, inference: Inference) => ReplyForm;

/** For each token of a prompt what is known of it and of its alternatives. */
export type PromptEntries = readonly (object | null)[];

/** Some 20 MB: they are built and written in one go, and block all other requests meanwhile. */
const mostPromptEntries = 250_000;

/**
 * @param copies how often a reply has those of each prompt
 * @throws ApiError 400 when a reply would be too large
 */
export function checkPromptEntries(
  prompts: readonly Int32Array[],
  copies: number,
  alternatives: number | undefined,
): void {
  if (alternatives === undefined) return;
  const entries = prompts.reduce((sum, { length }) => sum + length, 0) * copies * (alternatives + 1);
  if (entries <= mostPromptEntries) return;
  throw badRequest(
    'invalid_value',
    `prompt_logprobs: expected at most ${mostPromptEntries} log-probabilities of prompts in a reply (tokens × choices × ` +
      `alternatives and the token itself), found ${entries}. Ask for fewer alternatives or choices, or send several requests.`,
    'prompt_logprobs',
  );
}

/**
 * Log-probabilities of a prompt as vLLM gives them: null for the first token, then for each the token itself and the most
 * probable ones, by id. The rank of a token beyond those that are kept is not known, and null.
 */
export function promptLogProbabilities(
  text: ModelText,
  { prompt, score }: ScoredPrompt,
  alternatives: number,
): PromptEntries {
  const kept = score.topIds.length / Math.max(1, prompt.length - 1);
  return Array.from(prompt, (id, position) => {
    if (position === 0) return null;
    const row = (position - 1) * kept;
    const ids = score.topIds.subarray(row, row + kept);
    const entry = (of: number, logprob: number | undefined, rank: number | null) => ({
      logprob: logprob ?? null,
      rank,
      decoded_token: text.nameOf(of, false).token,
    });
    const rank = ids.indexOf(id) + 1;
    // An object sorts integer keys, so each entry carries its rank.
    const entries: Record<number, object> = {};
    for (const [place, of] of ids.subarray(0, alternatives).entries())
      entries[of] = entry(of, score.topLogProbabilities[row + place], place + 1);
    entries[id] = entry(id, score.tokenLogProbabilities[position - 1], rank === 0 ? null : rank);
    return entries;
  });
}
