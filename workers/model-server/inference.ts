/** A request of either endpoint in one form: prompts as tokens, and how each is to be continued. */
import { createHash, randomInt } from 'node:crypto';
import type { GenerationEvent, GenerationRequest, Sampling } from '../../engine/index.js';
import { ApiError, badRequest } from './api-error.js';
import type { ModelEngine } from './model-engine.js';
import type { PromptScore } from './engine-protocol.js';

export interface Inference {
  readonly prompts: readonly Int32Array[];
  /** Continuations of each prompt. */
  readonly samples: number;
  /** Absent: as far as the context goes. */
  readonly maximumNewTokens: number | undefined;
  /** Absent: the most probable token, always. */
  readonly sampling: Sampling | undefined;
  readonly stopStrings: readonly string[];
  readonly logProbabilities: boolean;
  /** Alternatives at each token of the answer. */
  readonly mostProbable: number;
  /** Alternatives at each token of the prompt; absent: prompts are not scored. */
  readonly promptAlternatives: number | undefined;
  /** Absent: the reply comes whole. */
  readonly stream: { readonly includeUsage: boolean } | undefined;
  /** Name tokens `token_id:7`, since texts of tokens are not unique. */
  readonly tokensAsIds: boolean;
}

/** One continuation of one prompt; choices of a reply are numbered prompt by prompt. */
export interface Sequence {
  readonly index: number;
  readonly prompt: Int32Array;
  readonly request: Omit<GenerationRequest, 'signal'>;
}

/** @throws ApiError 400 when a prompt and its answer do not fit into the context */
export function sequencesOf(inference: Inference, capacity: number): readonly Sequence[] {
  const { prompts, samples, sampling, stopStrings, logProbabilities, mostProbable } = inference;
  return prompts.flatMap((prompt, place) => {
    const maximumNewTokens = roomFor(prompt, inference.maximumNewTokens, capacity);
    return Array.from({ length: samples }, (_, sample) => ({
      index: place * samples + sample,
      prompt,
      request: {
        prompt,
        maximumNewTokens,
        stopStrings,
        logProbabilities,
        mostProbable,
        ...(sampling && { sampling: { ...sampling, seed: seedOf(sampling.seed, sample) } }),
      },
    }));
  });
}

function roomFor(prompt: Int32Array, wanted: number | undefined, capacity: number): number {
  if (prompt.length === 0) throw badRequest('invalid_value', 'Expected a prompt of at least one token, found none.');
  const room = capacity - prompt.length;
  if (room >= (wanted ?? 1)) return wanted ?? room;
  throw badRequest(
    'context_length_exceeded',
    `Expected at most ${capacity} tokens, the context of this server, found a prompt of ${prompt.length} tokens and ` +
      `${wanted ?? 1} for the answer. Shorten the prompt, lower max_tokens, or start the server with a larger --context.`,
  );
}

const seedLimit = 2 ** 47;

export const randomSeed = (): number => randomInt(seedLimit);

/** The first sample of a request has its seed; seeds of the others are far from those of requests that count their seeds up. */
function seedOf(seed: number, sample: number): number {
  if (sample === 0) return seed;
  const digest = createHash('sha256').update(`${seed}/${sample}`).digest();
  return digest.readUIntBE(0, 6) % seedLimit;
}

/**
 * Continues all sequences, each as soon as there is a slot for it.
 * @throws the reason of `signal`
 */
export async function generateAll(
  engine: ModelEngine,
  sequences: readonly Sequence[],
  signal: AbortSignal,
  take: (sequence: Sequence, event: GenerationEvent) => void,
): Promise<void> {
  // When one fails, the others are cancelled.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const work = sequences.map(async (sequence) => {
    try {
      for await (const event of engine.generate(sequence.request, either)) {
        signal.throwIfAborted();
        take(sequence, event);
      }
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const [failure] = (await Promise.allSettled(work)).filter((end) => end.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

export interface ScoredPrompt {
  readonly prompt: Int32Array;
  readonly score: PromptScore;
}

export async function scoreAll(
  engine: ModelEngine,
  { prompts }: Inference,
  signal: AbortSignal,
): Promise<readonly ScoredPrompt[]> {
  const scored: ScoredPrompt[] = [];
  for (const prompt of prompts) scored.push({ prompt, score: await engine.score(prompt, signal) });
  return scored;
}

/** Aborts a request that takes too long. */
export const timedOut = (seconds: number): ApiError =>
  new ApiError({
    status: 504,
    code: 'request_timeout',
    message: `Expected an answer within ${seconds} s, the limit of this server, found none. Ask for fewer tokens, or later.`,
  });
