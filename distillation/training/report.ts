/** What a training tells whoever watches: its phase, how far it is, and the last durable step, which is said with everything else. */
import type { Progress, ProgressFacts } from '../../config/child-protocol.js';
import type { DurableStep } from './checkpoints.js';

export type Phase = 'load' | 'compile' | 'restore' | 'train' | 'capture' | 'save' | 'evaluate' | 'seal';

export class Report {
  readonly #progress: (progress: Progress) => void;
  readonly #stop: AbortSignal;
  #phase: Phase = 'load';
  #facts: ProgressFacts = {};
  #durable: DurableStep | undefined;

  constructor(progress: (progress: Progress) => void, stop: AbortSignal) {
    this.#progress = progress;
    this.#stop = stop;
  }

  /** @throws the reason of the stop, when that was asked for */
  begin(phase: Phase, facts: ProgressFacts = {}): void {
    this.#stop.throwIfAborted();
    this.#phase = phase;
    this.facts(facts);
  }

  /** Within a phase. */
  facts(facts: ProgressFacts): void {
    this.#facts = facts;
    this.#send();
  }

  /** Within a phase that need not make anything durable: it goes on. @throws the reason of the stop */
  alive(facts: ProgressFacts = this.#facts): void {
    this.#stop.throwIfAborted();
    this.facts(facts);
  }

  durable(step: DurableStep): void {
    this.#durable = step;
    this.#send();
  }

  #send(): void {
    this.#progress({
      phase: this.#phase,
      facts: this.#facts,
      ...(this.#durable !== undefined && { durable: this.#durable }),
    });
  }
}
