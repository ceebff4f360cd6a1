/** What an evaluation tells whoever watches: its phase, how far it is, how fast, and the last durable part. */
import type { ChildPhase } from '../../config/child-phases.js';
import type { Progress } from '../../config/child-protocol.js';
import { TokenMeter } from '../../engine/index.js';

export class EvaluationProgress {
  readonly #send: (progress: Progress) => void;
  readonly #stop: AbortSignal;
  readonly #meter = new TokenMeter(() => this.#report());
  #phase: ChildPhase<'evaluator'> = 'load';
  #items: { readonly done: number; readonly of: number } | undefined;
  #durable: Progress['durable'];
  /** Of models and of what an earlier attempt has left. */
  #partsRead = 0;

  constructor(send: (progress: Progress) => void, stop: AbortSignal) {
    this.#send = send;
    this.#stop = stop;
  }

  /** @throws the reason of the stop, when that was asked for */
  begin(phase: ChildPhase<'evaluator'>): void {
    this.#stop.throwIfAborted();
    this.#phase = phase;
    if (phase === 'evaluate') this.#meter.begin();
    this.#report();
  }

  /** A part was read. */
  readonly alive = (): void => {
    this.#stop.throwIfAborted();
    this.#partsRead += 1;
    this.#report();
  };

  items(done: number, of: number, durable: Progress['durable']): void {
    this.#items = { done, of };
    this.#durable = durable;
    this.#report();
  }

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
        ...(this.#items && { ...this.#items, unit: 'items' }),
        ...(this.#partsRead > 0 && { parts: this.#partsRead }),
        ...this.#meter.facts,
      },
      ...(this.#durable && { durable: this.#durable }),
    });
  }
}
