/**
 * Checkpoints of work that makes one durable part after another: they come some seconds apart, and further where saving is slow,
 * so that they cost at most a twentieth of the time. The step of a checkpoint is the number of its parts.
 */
import { performance } from 'node:perf_hooks';
import type { BlobRef } from './blobs.js';
import type { Json } from './canonical-json.js';
import type { StageWriter } from './stage-writer.js';

const intervalMs = 2000;
const share = 1 / 20;

export interface PacedSave {
  readonly parts: number;
  readonly state: Json;
  /** Every blob that the state needs kept. */
  readonly references: readonly BlobRef[];
}

export class PacedSaves {
  readonly #writer: StageWriter;
  /** Parts that are durable, or on their way. */
  #saved: number;
  #durable: number;
  #nextAtMs = performance.now() + intervalMs;
  /** Rejects as the last save does. */
  #lastSave: Promise<void> = Promise.resolve();

  /** @param parts how many are in the checkpoint that the work goes on from */
  constructor(writer: StageWriter, parts: number) {
    this.#writer = writer;
    this.#saved = this.#durable = parts;
  }

  /** Parts that are in the last durable checkpoint. */
  get durable(): number {
    return this.#durable;
  }

  get due(): boolean {
    return performance.now() >= this.#nextAtMs;
  }

  /** Begins to save, unless nothing came since the last time. A save that fails is due again at once. @throws fence-lost */
  save(next: PacedSave): void {
    if (next.parts === this.#saved) return;
    this.#lastSave = this.#begin(next);
    this.#lastSave.catch(() => undefined); // whoever works on saves again soon
  }

  /** All of it is durable when it returns. @throws fence-lost and what saving fails with */
  async saveNow(next: PacedSave): Promise<void> {
    await this.#lastSave.catch(() => undefined); // what failed is made again
    this.save(next);
    await this.#lastSave;
  }

  #begin({ parts, state, references }: PacedSave): Promise<void> {
    const startedAtMs = performance.now();
    const { durable } = this.#writer.save({ step: parts, state, references });
    this.#saved = parts;
    this.#nextAtMs = Infinity;
    return durable.then(
      (outcome) => {
        const now = performance.now();
        this.#nextAtMs = now + Math.max(intervalMs, (now - startedAtMs) / share);
        if (outcome === 'saved') this.#durable = parts;
      },
      (error: unknown) => {
        this.#nextAtMs = 0;
        if (this.#saved === parts) this.#saved = this.#durable;
        throw error;
      },
    );
  }
}
