/**
 * Prompts that are to be scored, one after another in the order they came in. Before each the event loop gets its turn, so that
 * steps of sequences go on between two prompts, and a prompt that nobody waits for any more is never begun.
 */
import { setImmediate } from 'node:timers/promises';

export class ScoringQueue {
  readonly #waiting = new Map<number, Int32Array>();
  readonly #score: (id: number, prompt: Int32Array) => Promise<void>;
  #isBusy = false;

  /** @param score answers by itself, also when it fails */
  constructor(score: (id: number, prompt: Int32Array) => Promise<void>) {
    this.#score = score;
  }

  add(id: number, prompt: Int32Array): void {
    this.#waiting.set(id, prompt);
    if (!this.#isBusy) void this.#work();
  }

  /** One that is being scored goes on. */
  cancel(id: number): void {
    this.#waiting.delete(id);
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.size > 0) {
      await setImmediate();
      const [next] = this.#waiting;
      if (next === undefined) break;
      this.#waiting.delete(next[0]);
      await this.#score(...next);
    }
    this.#isBusy = false;
  }
}
