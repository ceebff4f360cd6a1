/**
 * How many sequences are admitted: as many as run side by side, and a fixed number that waits. A request that finds no place is told when
 * to try again; one for several sequences is admitted whole or not at all.
 */
import { ApiError } from './api-error.js';

export class Admission {
  readonly slots: number;
  readonly #places: number;
  #inside = 0;
  #isClosed = false;
  /** A moving average of the last sequences. */
  #secondsEach = 1;

  constructor(slots: number, maximumQueue: number) {
    this.slots = slots;
    this.#places = slots + maximumQueue;
  }

  get running(): number {
    return Math.min(this.#inside, this.slots);
  }

  get waiting(): number {
    return this.#inside - this.running;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * @returns what gives the places back
   * @throws ApiError 429, 503 once it is closed
   */
  enter(sequences: number): () => void {
    if (this.#isClosed)
      throw new ApiError({
        status: 503,
        code: 'server_shutting_down',
        message: 'Expected a server that goes on, found one that was asked to end. Ask another one.',
      });
    if (sequences > this.#places) throw this.#tooMany(sequences);
    if (this.#inside + sequences > this.#places) throw this.#full();
    this.#inside += sequences;
    const beganMs = performance.now();
    return () => {
      this.#inside -= sequences;
      this.#secondsEach += 0.2 * ((performance.now() - beganMs) / 1000 - this.#secondsEach);
    };
  }

  /** Admits nothing any more. */
  close(): void {
    this.#isClosed = true;
  }

  #tooMany(sequences: number): ApiError {
    return new ApiError({
      status: 400,
      code: 'too_many_sequences',
      message: `Expected at most ${this.#places} sequences in a request, found ${sequences}. Send several requests.`,
    });
  }

  #full(): ApiError {
    const seconds = Math.min(60, Math.max(1, Math.ceil((this.#secondsEach * this.waiting) / this.slots)));
    return new ApiError({
      status: 429,
      code: 'queue_full',
      message: `Expected a place in the queue, found all ${this.#places} taken. Ask again in ${seconds} s.`,
      headers: { 'retry-after': `${seconds}` },
    });
  }
}
