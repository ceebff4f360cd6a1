/**
 * What answering tells whoever watches: its phase, how much of it is done, and how fast this attempt writes. Every report follows from
 * work that was done, none from a timer.
 */
import type { ChildPhase } from '../../config/child-phases.js';
import type { Progress, ProgressFacts } from '../../config/child-protocol.js';
import { TokenMeter } from '../../engine/index.js';
import type { AnsweringPhase } from '../teachers/answer-prompts.js';

export interface AnsweringAttempt {
  readonly stop: AbortSignal;
  readonly fence: number;
}

export class AnsweringProgress {
  readonly #send: (progress: Progress) => void;
  readonly #attempt: AnsweringAttempt;
  readonly #meter = new TokenMeter(() => this.#report());
  #phase: ChildPhase<'answerer'> = 'load';
  #counted: ProgressFacts = {};
  /** Of the requests that have a fate: every response is durable once it is recorded. */
  #durableStep = 0;
  #partsRead = 0;

  constructor(send: (progress: Progress) => void, attempt: AnsweringAttempt) {
    this.#send = send;
    this.#attempt = attempt;
  }

  /** @throws the reason of the stop, when that was asked for */
  begin(phase: ChildPhase<'answerer'>): void {
    this.#attempt.stop.throwIfAborted();
    this.#phase = phase;
    this.#counted = {};
    if (phase === 'ask') this.#meter.begin();
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
    else this.#meter.end();
    this.#report();
  };

  readonly token = this.#meter.token;

  /** Of this attempt; 0 before the first token. */
  get tokensPerSecond(): number {
    return this.#meter.tokensPerSecond;
  }

  #report(): void {
    this.#meter.told();
    this.#send({
      phase: this.#phase,
      facts: {
        ...this.#counted,
        ...this.#meter.facts,
      },
      ...(this.#durableStep > 0 && { durable: { step: this.#durableStep, fence: this.#attempt.fence } }),
    });
  }
}
