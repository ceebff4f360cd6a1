/**
 * What a teacher behind an endpoint says of prompts, in both spellings: after each token the next one of the prompt is likely, then
 * the ids behind it, each half as likely as the one before. Every seventh id is unlikely, and stands beside the most probable ones.
 */
import type { Tokenizer } from '../../engine/index.js';

export interface ScoringBody {
  readonly model: string;
  readonly prompt: readonly number[];
  readonly prompt_logprobs?: number;
  readonly logprobs?: number;
}

export interface ScoredEntry {
  readonly id: number;
  readonly logprob: number;
}

/** The entries about token `id`, most probable first; an unlikely token last. */
export function entriesAbout(id: number, count: number, vocabularySize: number): readonly ScoredEntry[] {
  const isUnlikely = id % 7 === 0;
  const from = isUnlikely ? 1 : 0;
  const probable = Array.from({ length: count }, (_, rank) => ({
    id: (id + from + rank) % vocabularySize,
    logprob: Math.log(0.5) * (rank + 1),
  }));
  return isUnlikely ? [...probable, { id, logprob: -20 }] : probable;
}

export interface Scoring {
  readonly tokenizer: Tokenizer;
  readonly vocabularySize: number;
  /** The most entries that it gives. */
  readonly most?: number;
  /** What it calls an id. */
  readonly nameOf?: (id: number) => string;
  /** What it says in place of the truth of a log-probability. */
  readonly distort?: (logprob: number) => number;
}

const usageOf = (tokens: number) => ({ prompt_tokens: tokens, completion_tokens: 1, total_tokens: tokens + 1 });

export const scoresAs =
  ({ tokenizer, vocabularySize, most = Infinity, nameOf, distort = (value) => value }: Scoring) =>
  (body: object): object => {
    const { model, prompt, prompt_logprobs, logprobs } = body as ScoringBody;
    const count = Math.min(prompt_logprobs ?? logprobs ?? 0, most);
    const name = nameOf ?? ((id: number): string => tokenizer.decode([id]));
    const positions = prompt.map((id, place) =>
      place === 0
        ? null
        : entriesAbout(id, count, vocabularySize).map((entry) => ({ ...entry, logprob: distort(entry.logprob) })),
    );
    const choice =
      prompt_logprobs === undefined
        ? {
            logprobs: {
              tokens: prompt.map(name),
              token_logprobs: positions.map(
                (entries, place) => entries?.find(({ id }) => id === prompt[place])?.logprob ?? null,
              ),
              top_logprobs: positions.map(
                (entries) =>
                  entries && Object.fromEntries(entries.slice(0, count).map(({ id, logprob }) => [name(id), logprob])),
              ),
            },
          }
        : {
            prompt_logprobs: positions.map(
              (entries) =>
                entries &&
                Object.fromEntries(entries.map(({ id, logprob }) => [id, { logprob, decoded_token: name(id) }])),
            ),
          };
    return {
      id: 'cmpl-1',
      object: 'text_completion',
      model,
      choices: [{ index: 0, text: ' a', finish_reason: 'length', ...choice }],
      usage: usageOf(prompt.length),
    };
  };
