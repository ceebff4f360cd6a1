/**
 * What answering tells whoever watches: its phase, how much of it is done, and how fast this attempt writes. Every report follows from
 * something that was done.
 */
import { performance } from 'node:perf_hooks';
import type { ChildPhase } from '../../config/child-phases.js';
import type { Progress, ProgressFacts } from '../../config/child-protocol.js';
import type { AnsweringPhase } from '../teachers/answer-prompts.js';

/** Between two reports of nothing but tokens. */
const reportIntervalMs = 1000;

export interface AnsweringAttempt {
  readonly stop: AbortSignal;
  readonly fence: number;
}

export class AnsweringProgress {
  readonly #send: (progress: Progress) => void;
  readonly #attempt: AnsweringAttempt;
  #phase: ChildPhase<'answerer'> = 'load';
  #counted: ProgressFacts = {};
  /** Of the requests that have a fate: every response is durable once it is recorded. */
  #durableStep = 0;
  #partsRead = 0;
  #tokens = 0;
  #askedSinceMs: number | undefined;
  #askedUntilMs: number | undefined;
  #reportedAtMs = 0;

  constructor(send: (progress: Progress) => void, attempt: AnsweringAttempt) {
    this.#send = send;
    this.#attempt = attempt;
  }

  /** @throws the reason of the stop, when that was asked for */
  begin(phase: ChildPhase<'answerer'>): void {
    this.#attempt.stop.throwIfAborted();
    this.#phase = phase;
    this.#counted = {};
    if (phase === 'ask') this.#askedSinceMs = performance.now();
    this.#report();
  }

  /** A part of the model was read. */
  readonly alive = (): void => {
    this.#attempt.stop.throwIfAborted();
    this.#counted = { parts: (this.#partsRead += 1) };
    this.#report();
  };

  readonly counted = (phase: AnsweringPhase, facts: ProgressFacts): void => {
    [this.#phase, this.#counted] = [phase, facts];
    if (phase === 'ask') this.#durableStep = facts.done ?? 0;
    else this.#askedUntilMs ??= performance.now();
    this.#report();
  };

  readonly token = (): void => {
    this.#tokens += 1;
    if (performance.now() - this.#reportedAtMs >= reportIntervalMs) this.#report();
  };

  /** Of this attempt; 0 before the first token. */
  get tokensPerSecond(): number {
    if (this.#askedSinceMs === undefined || this.#tokens === 0) return 0;
    return Math.round((this.#tokens * 1000) / ((this.#askedUntilMs ?? performance.now()) - this.#askedSinceMs));
  }

  #report(): void {
    this.#reportedAtMs = performance.now();
    const { tokensPerSecond } = this;
    this.#send({
      phase: this.#phase,
      facts: {
        ...this.#counted,
        ...(this.#tokens > 0 && { tokens: this.#tokens }),
        ...(tokensPerSecond > 0 && { tokensPerSecond }),
      },
      ...(this.#durableStep > 0 && { durable: { step: this.#durableStep, fence: this.#attempt.fence } }),
    });
  }
}
