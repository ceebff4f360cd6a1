/** Counts what became of requests, and says when too many have no answer for the dataset: as soon as that is certain. */
import type { AnswerOptions } from '../../config/answer-options.js';
import { NightstillError } from '../../config/errors.js';
import type { Prices } from '../../config/teacher-schema.js';
import { isKept, type Fate } from './answer-dataset.js';
import { nanoUsd, sumOf, toUsd, type NanoUsd } from '../responses/index.js';
import type { RecordedReply } from './recorded-reply.js';
import { servedLabel } from './wire.js';
import { mayReach } from './yield.js';

export interface TallyProgress {
  /** Requests that have a fate. */
  readonly done: number;
  readonly of: number;
  /** Absent without prices. */
  readonly spentUsd?: number | undefined;
}

export interface TallySummary {
  /** Requests by what became of them. */
  readonly fates: Readonly<Record<string, number>>;
  /** Replies by the model and the fingerprint that they bear. */
  readonly served: Readonly<Record<string, number>>;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Replies whose tokens the endpoint did not count. */
  readonly uncounted: number;
  /** What these replies cost, whenever they were bought; absent without prices. */
  readonly spentUsd?: number | undefined;
}

export class Tally {
  readonly #fates: Record<string, number> = {};
  /** Those of them that give the dataset no row. */
  readonly #lost: Record<string, number> = {};
  readonly #served: Record<string, number> = {};
  /** What came in place of whole replies, by what it was; the calls were made again, or were not. */
  readonly #failedCalls: Record<string, number> = {};
  #done = 0;
  #promptTokens = 0;
  #completionTokens = 0;
  #uncounted = 0;
  #cost: NanoUsd = nanoUsd(0);

  constructor(
    private readonly of: number,
    private readonly options: Pick<AnswerOptions, 'keep' | 'minimumYield'> & { readonly prices?: Prices | undefined },
  ) {}

  add(fate: Fate, reply?: RecordedReply): void {
    this.#done += 1;
    this.#fates[fate] = (this.#fates[fate] ?? 0) + 1;
    if (!isKept(this.options.keep, fate, reply)) this.#lost[fate] = (this.#lost[fate] ?? 0) + 1;
    if (!reply) return;
    const served = servedLabel(reply).slice(0, 200);
    this.#served[served] = (this.#served[served] ?? 0) + 1;
    this.#promptTokens += reply.usage?.promptTokens ?? 0;
    this.#completionTokens += reply.usage?.completionTokens ?? 0;
    if (!reply.usage) this.#uncounted += 1;
    if (reply.cost !== undefined) this.#cost = sumOf([this.#cost, reply.cost]);
  }

  /** A call brought no reply. @param found what came instead: a status, a type */
  failed(found: string): void {
    this.#failedCalls[found] = (this.#failedCalls[found] ?? 0) + 1;
  }

  /** @throws answer-yield-too-low */
  confirmYield(): void {
    const { minimumYield } = this.options;
    const lost = Object.entries(this.#lost);
    const count = lost.reduce((sum, [, number]) => sum + number, 0);
    if (mayReach(minimumYield, { of: this.of, lost: count })) return;
    const reasons = lost.map(([fate, number]) => `${number} ${fate}`).join(', ');
    throw new NightstillError(
      'answer-yield-too-low',
      `expected answers to at least ${minimumYield * 100} % of ${this.of} requests, found ${count} without: ${reasons}${this.#saidInstead}`,
      { details: Object.fromEntries(Object.entries(this.#fates)) },
    );
  }

  get #saidInstead(): string {
    const calls = Object.entries(this.#failedCalls).map(([found, number]) => `${found} ×${number}`);
    return calls.length === 0 ? '' : `; calls that brought no reply: ${calls.join(', ')}`;
  }

  get progress(): TallyProgress {
    return { done: this.#done, of: this.of, ...this.#money };
  }

  get summary(): TallySummary {
    return {
      fates: { ...this.#fates },
      served: { ...this.#served },
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      uncounted: this.#uncounted,
      ...this.#money,
    };
  }

  get #money(): { readonly spentUsd?: number } {
    return this.options.prices ? { spentUsd: toUsd(this.#cost) } : {};
  }
}
