/**
 * Scores prompts one after another, in order. It yields to the event loop before each, so that steps of sequences run between two prompts,
 * and a prompt that was cancelled is never begun.
 */
import { setImmediate } from 'node:timers/promises';

export class ScoringQueue {
  readonly #waiting = new Map<number, Int32Array>();
  readonly #score: (id: number, prompt: Int32Array) => Promise<void>;
  #isBusy = false;

  /** @param score never rejects: it sends its answer, or its failure, itself */
  constructor(score: (id: number, prompt: Int32Array) => Promise<void>) {
    this.#score = score;
  }

  add(id: number, prompt: Int32Array): void {
    this.#waiting.set(id, prompt);
    if (!this.#isBusy) void this.#work();
  }

  /** A prompt that is being scored is finished. */
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
