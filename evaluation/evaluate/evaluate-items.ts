/**
 * Asks a model every item and judges its answers. So many are under way at once, and each has the bits it would have alone; results
 * are handed on in the order of the set. Whoever generates is given: nothing here knows a model.
 */
import { performance } from 'node:perf_hooks';
import type { GenerationEvent, GenerationRequest } from '../../engine/index.js';
import type { Scorer } from '../scorers/scorer.js';
import type { ItemResult } from './item-result.js';
import type { Item } from './items.js';
import { judge, type Answer } from './judge.js';

/** A model that can be asked. */
export interface Respondent {
  /** How many sequences it writes at once. */
  readonly sequences: number;
  /** Tokens of prompt and answer together. */
  readonly capacity: number;
  readonly encode: (messages: Item['messages']) => Int32Array;
  readonly generate: (request: GenerationRequest) => AsyncIterable<GenerationEvent>;
}

export interface EvaluationRequest {
  readonly respondent: Respondent;
  readonly items: readonly Item[];
  readonly scorers: readonly Scorer[];
  readonly maximumTokens: number;
  readonly stopStrings: readonly string[];
  /** Items that are behind us. */
  readonly from: number;
  /** Called with one result after another, in the order of the items. */
  readonly take: (judged: JudgedItem) => Promise<void>;
  /** Called at every token. */
  readonly onToken: () => void;
  readonly stop: AbortSignal;
}

export interface JudgedItem {
  readonly result: ItemResult;
  /** From the request to the end of its answer, so many others beside it; undefined where it was not asked. */
  readonly latencyMs: number | undefined;
}

/** @throws the reason of `stop`; what the model, a scorer or `take` throws */
export async function evaluateItems(request: EvaluationRequest): Promise<void> {
  const { items, from, respondent, take } = request;
  // When one fails, nobody waits for the others.
  const failed = new AbortController();
  const stop = AbortSignal.any([request.stop, failed.signal]);
  const results = new Map<number, JudgedItem>();
  let [next, handedOn] = [from, from];
  let handing: Promise<void> = Promise.resolve();

  async function handOn(): Promise<void> {
    for (let judged = results.get(handedOn); judged !== undefined; judged = results.get(handedOn)) {
      results.delete(handedOn);
      handedOn += 1;
      await take(judged);
    }
  }

  async function lane(): Promise<void> {
    try {
      for (let at = next++; at < items.length; at = next++) {
        stop.throwIfAborted();
        const item = items[at] as Item;
        const { answer, latencyMs } = await answerTo(item, { ...request, stop });
        results.set(at, { result: await judge(item, answer, request.scorers), latencyMs });
        handing = handing.then(handOn);
        await handing;
      }
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  }

  await Promise.allSettled(Array.from({ length: respondent.sequences }, lane));
  stop.throwIfAborted();
}

interface TimedAnswer extends Pick<JudgedItem, 'latencyMs'> {
  readonly answer: Answer;
}

/** The most probable token, always. */
async function answerTo({ messages }: Item, request: EvaluationRequest): Promise<TimedAnswer> {
  const { respondent, maximumTokens, stopStrings, stop, onToken } = request;
  const prompt = respondent.encode(messages);
  const room = respondent.capacity - prompt.length;
  const promptTokens = prompt.length;
  if (room < 1) {
    const answer = { text: '', finish: 'prompt-too-long', promptTokens, generatedTokens: 0 } as const;
    return { answer, latencyMs: undefined };
  }
  const startedAtMs = performance.now();
  const limits = { maximumNewTokens: Math.min(maximumTokens, room), stopStrings, signal: stop };
  let [text, generatedTokens] = ['', 0];
  for await (const event of respondent.generate({ prompt, ...limits })) {
    text += event.text;
    if (event.kind === 'token') {
      generatedTokens += 1;
      onToken();
    } else if (event.reason !== 'cancelled') {
      const answer = { text, finish: event.reason, promptTokens, generatedTokens };
      return { answer, latencyMs: performance.now() - startedAtMs };
    }
  }
  throw stop.reason;
}
