/**
 * How fast a teacher may be asked. Each limit is a bucket that one request empties: a request that costs c of a limit of n a minute
 * holds the next one back for c/n minutes (the generic cell rate algorithm, with no burst), so no minute sees more than n and one
 * request. What a request turned out not to need is given back. The clock is monotonic.
 */
const minuteMs = 60_000;

export interface Clock {
  /** Milliseconds from any beginning; never goes back. */
  readonly now: () => number;
}

const monotonic: Clock = { now: () => performance.now() };

class Bucket {
  #freeAtMs = -Infinity;

  constructor(private readonly perMinute: number) {}

  get freeAtMs(): number {
    return this.#freeAtMs;
  }

  take(atMs: number, cost: number): void {
    this.#freeAtMs = Math.max(atMs, this.#freeAtMs) + (cost / this.perMinute) * minuteMs;
  }

  giveBack(cost: number): void {
    this.#freeAtMs -= (cost / this.perMinute) * minuteMs;
  }
}

export interface PaceLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

export class Pace {
  readonly #requests: Bucket | undefined;
  readonly #tokens: Bucket | undefined;
  readonly #clock: Clock;
  #closedUntilMs = -Infinity;

  constructor({ requestsPerMinute, tokensPerMinute }: PaceLimits, clock: Clock = monotonic) {
    this.#requests = requestsPerMinute === undefined ? undefined : new Bucket(requestsPerMinute);
    this.#tokens = tokensPerMinute === undefined ? undefined : new Bucket(tokensPerMinute);
    this.#clock = clock;
  }

  /** Takes the next turn. @returns milliseconds until it comes; `closedForMs` may then say to wait longer. */
  take(tokens: number): number {
    const now = this.#clock.now();
    const atMs = Math.max(now, this.#requests?.freeAtMs ?? now, this.#tokens?.freeAtMs ?? now);
    this.#requests?.take(atMs, 1);
    this.#tokens?.take(atMs, tokens);
    return atMs - now;
  }

  giveBackTokens(tokens: number): void {
    this.#tokens?.giveBack(tokens);
  }

  /** The endpoint asks everybody to wait: nothing is asked for this long. */
  close(forMs: number): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, this.#clock.now() + forMs);
  }

  get closedForMs(): number {
    return Math.max(0, this.#closedUntilMs - this.#clock.now());
  }
}
