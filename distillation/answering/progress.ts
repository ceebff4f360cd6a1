/** What answering tells whoever watches: its phase, how many requests are answered, and how fast this attempt writes. */
import { performance } from 'node:perf_hooks';
import type { Progress } from '../../config/child-protocol.js';
import type { TallyProgress } from '../teachers/tally.js';

/** Between two reports of nothing but tokens. */
const reportIntervalMs = 1000;

export interface AnsweringAttempt {
  readonly stop: AbortSignal;
  readonly fence: number;
}

export class AnsweringProgress {
  readonly #send: (progress: Progress) => void;
  readonly #attempt: AnsweringAttempt;
  #phase = 'load';
  #requests: TallyProgress | undefined;
  #tokens = 0;
  #askedSinceMs: number | undefined;
  #reportedAtMs = 0;

  constructor(send: (progress: Progress) => void, attempt: AnsweringAttempt) {
    this.#send = send;
    this.#attempt = attempt;
  }

  /** @throws the reason of the stop, when that was asked for */
  begin(phase: string): void {
    this.#attempt.stop.throwIfAborted();
    this.#phase = phase;
    if (phase === 'ask') this.#askedSinceMs = performance.now();
    this.#report();
  }

  readonly alive = (): void => {
    this.#attempt.stop.throwIfAborted();
    this.#report();
  };

  readonly requests = (requests: TallyProgress): void => {
    this.#requests = requests;
    this.#report();
  };

  readonly token = (): void => {
    this.#tokens += 1;
    if (performance.now() - this.#reportedAtMs >= reportIntervalMs) this.#report();
  };

  /** Of this attempt; 0 before the first token. */
  get tokensPerSecond(): number {
    if (this.#askedSinceMs === undefined || this.#tokens === 0) return 0;
    return Math.round((this.#tokens * 1000) / (performance.now() - this.#askedSinceMs));
  }

  #report(): void {
    this.#reportedAtMs = performance.now();
    const { tokensPerSecond } = this;
    const { done, of } = this.#requests ?? {};
    this.#send({
      phase: this.#phase,
      facts: {
        ...(done !== undefined && of !== undefined && { done, of, unit: 'requests' }),
        ...(tokensPerSecond > 0 && { tokensPerSecond }),
      },
      // Every response is durable once it is recorded.
      ...(done && { durable: { step: done, fence: this.#attempt.fence } }),
    });
  }
}
