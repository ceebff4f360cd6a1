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
  #saved: number;
  #durable: number;
  #nextAtMs = performance.now() + intervalMs;

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

  /** Begins to save, unless nothing came since the last time. */
  save({ parts, state, references }: PacedSave): void {
    if (parts === this.#saved) return;
    const startedAtMs = performance.now();
    const { durable } = this.#writer.save({ step: parts, state, references });
    this.#saved = parts;
    this.#nextAtMs = Infinity;
    durable.then(
      (outcome) => {
        const now = performance.now();
        this.#nextAtMs = now + Math.max(intervalMs, (now - startedAtMs) / share);
        if (outcome === 'saved') this.#durable = parts;
      },
      () => (this.#nextAtMs = 0),
    );
  }
}
