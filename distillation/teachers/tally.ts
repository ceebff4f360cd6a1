/** Counts what became of requests, and says when too many have no answer for the dataset: as soon as that is certain. */
import type { AnswerOptions } from '../../config/answer-options.js';
import { NightstillError } from '../../config/errors.js';
import type { Prices } from '../../config/teacher-schema.js';
import { isKept, type Fate } from './answer-dataset.js';
import { Spending, usdOf } from '../responses/index.js';
import type { RecordedReply } from './recorded-reply.js';
import { servedLabel } from './wire.js';
import { mayReach } from './yield.js';

export interface TallyProgress {
  /** Requests that have a fate. */
  readonly done: number;
  readonly of: number;
  /** Absent where a price is not known. */
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
  /** What these replies cost, each once, whenever they were bought; absent where a price is not known. */
  readonly spentUsd?: number | undefined;
}

/** A reply, and the key of its request: requests that are equal share a reply, which is paid once. */
interface Heard {
  readonly key: string;
  readonly reply: RecordedReply;
}

export class Tally {
  readonly #fates: Record<string, number> = {};
  /** Those of them that give the dataset no row. */
  readonly #lost: Record<string, number> = {};
  readonly #served: Record<string, number> = {};
  /** Calls that brought no whole reply, by what came instead. A call that was then tried again counts here too. */
  readonly #failedCalls: Record<string, number> = {};
  #done = 0;
  #promptTokens = 0;
  #completionTokens = 0;
  #uncounted = 0;
  readonly #spending = new Spending();

  constructor(
    private readonly of: number,
    private readonly options: Pick<AnswerOptions, 'keep' | 'minimumYield'> & { readonly prices?: Prices | undefined },
  ) {}

  add(fate: Fate, heard?: Heard): void {
    this.#done += 1;
    this.#fates[fate] = (this.#fates[fate] ?? 0) + 1;
    if (!isKept(this.options.keep, fate, heard?.reply)) this.#lost[fate] = (this.#lost[fate] ?? 0) + 1;
    if (!heard) return;
    const { reply } = heard;
    const served = servedLabel(reply).slice(0, 200);
    this.#served[served] = (this.#served[served] ?? 0) + 1;
    this.#promptTokens += reply.usage?.promptTokens ?? 0;
    this.#completionTokens += reply.usage?.completionTokens ?? 0;
    if (!reply.usage) this.#uncounted += 1;
    this.#spending.add(heard.key, reply.cost);
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
    const spentUsd = this.options.prices && usdOf([this.#spending.spent]);
    return spentUsd === undefined ? {} : { spentUsd };
  }
}
