/**
 * What a teacher that knows no request again was asked in one run, held against what the run has recorded: at every kill the
 * responses that are durable and the calls that are under way are noted.
 */
import { observationsOf, observedCalls, recordedIn } from './answers.js';
import type { KillOrder } from './kill-orders.js';
import { until } from './processes.js';
import type { TeacherProcess } from './teacher-process.js';

export interface AskedSummary {
  readonly keys: number;
  readonly asked: number;
  /** Calls under way at kills. */
  readonly inFlight: number;
  /** By the ledger. */
  readonly possiblyPaidTwice: number;
  /** Keys that were asked for after their response was durable. */
  readonly askedThoughRecorded: readonly string[];
}

export class AskedRecord {
  readonly #before: number;
  /** Of a recorded key: how often it was asked when that was seen. */
  readonly #recorded = new Map<string, number>();
  #inFlight = 0;

  constructor(
    readonly teacher: TeacherProcess,
    /** How many requests there are to ask. */
    readonly requests: number,
  ) {
    this.#before = teacher.asked.length;
  }

  /** Nothing of the run moves, apart from what is let go for the kill to be between one response and its record. */
  async atKill(store: string, { stage, moment }: KillOrder): Promise<void> {
    if (stage !== 'answer') return;
    if (moment === 'ask') this.#inFlight += this.teacher.parallel;
    if (moment === 'record') {
      this.#inFlight += 1;
      await until(
        'a record of every other response',
        async () => (await recordedIn(store)).length >= this.requests - 1,
      );
    }
    const times = this.#times;
    for (const key of await recordedIn(store)) this.#recorded.set(key, times.get(key) ?? 0);
  }

  /** @param answer the node of a run that has ended */
  async summary(store: string, answer: Parameters<typeof observationsOf>[1]): Promise<AskedSummary> {
    const times = this.#times;
    const { calls } = observedCalls.parse(await observationsOf(store, answer));
    return {
      keys: times.size,
      asked: [...times.values()].reduce((sum, count) => sum + count, 0),
      inFlight: this.#inFlight,
      possiblyPaidTwice: calls.possiblyPaidTwice.calls,
      askedThoughRecorded: [...this.#recorded].filter(([key, count]) => times.get(key) !== count).map(([key]) => key),
    };
  }

  get #times(): ReadonlyMap<string, number> {
    const times = new Map<string, number>();
    for (const key of this.teacher.asked.slice(this.#before)) times.set(key, (times.get(key) ?? 0) + 1);
    return times;
  }
}
