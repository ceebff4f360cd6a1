/**
 * What a process that trains or captures tells whoever watches: its phase, how far it is, and, in every message, the last durable step.
 * Each message follows from work that was done, none from a timer: a process that hangs is silent.
 */
import type { ChildPhase } from '../../config/child-phases.js';
import type { Progress, ProgressFacts } from '../../config/child-protocol.js';
import type { DurableStep } from './checkpoints.js';

type Phase = ChildPhase<'trainer' | 'capturer' | 'asker'>;

export class Report {
  readonly #progress: (progress: Progress) => void;
  readonly #stop: AbortSignal;
  #phase: Phase = 'load';
  #facts: ProgressFacts = {};
  /** Things done in this phase that have no number of their own: parts read, tensors loaded. */
  #parts = 0;
  /** Parts of checkpoints that the store has. */
  #savedParts = 0;
  #durable: DurableStep | undefined;

  constructor(progress: (progress: Progress) => void, stop: AbortSignal) {
    this.#progress = progress;
    this.#stop = stop;
  }

  /** @throws the reason of the stop, when that was asked for */
  begin(phase: Phase, facts: ProgressFacts = {}): void {
    this.#stop.throwIfAborted();
    this.#phase = phase;
    this.#parts = 0;
    this.facts(facts);
  }

  /** Within a phase. */
  facts(facts: ProgressFacts): void {
    this.#facts = facts;
    this.#send();
  }

  /**
   * Within a phase that need not make anything durable: one thing more is done.
   * @param facts where it is counted @throws the reason of the stop
   */
  alive(facts?: ProgressFacts): void {
    this.#stop.throwIfAborted();
    if (facts === undefined) this.#parts += 1;
    this.facts(facts ?? this.#facts);
  }

  /** Of a checkpoint that is being saved: one part more is stored. Also after a stop, when the last one is. */
  saving(): void {
    this.#savedParts += 1;
    this.#send();
  }

  durable(step: DurableStep): void {
    this.#durable = step;
    this.#send();
  }

  #send(): void {
    this.#progress({
      phase: this.#phase,
      facts: {
        ...this.#facts,
        ...(this.#parts > 0 && { parts: this.#parts }),
        ...(this.#savedParts > 0 && { savedParts: this.#savedParts }),
      },
      ...(this.#durable !== undefined && { durable: this.#durable }),
    });
  }
}
