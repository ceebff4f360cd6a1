/**
 * What is kept of every step, as rows of JSONL that depend on the training alone: neither on time nor on how often it was
 * interrupted. Long runs are thinned: of their steps, only every second, fourth … is kept.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import type { StepEvent } from '../../engine/index.js';

const number = z.number();
const rowSchema = z.object({
  step: z.int().positive(),
  loss: number,
  parts: z.record(z.string(), number),
  gradientNorm: number,
  learningRate: number,
  /** Of the step, padding excluded. */
  tokens: z.int().nonnegative(),
});
export type MetricsRow = z.output<typeof rowSchema>;

/** What a checkpoint keeps. */
export const metricsSchema = z.object({
  stride: z.int().positive(),
  /** Of all steps. */
  tokens: z.int().nonnegative(),
  rows: z.array(rowSchema),
  last: rowSchema.nullable(),
});
export type MetricsState = z.output<typeof metricsSchema>;

/** Then they are thinned to half as many. */
const maximumRows = 4096;

export class Metrics {
  #stride = 1;
  #tokens = 0;
  #rows: MetricsRow[] = [];
  #last: MetricsRow | undefined;

  add({ step, loss, parts, gradientNorm, learningRate, tokens }: StepEvent): void {
    this.#last = { step, loss, parts, gradientNorm, learningRate, tokens };
    this.#tokens += tokens;
    if (step % this.#stride !== 0) return;
    this.#rows.push(this.#last);
    if (this.#rows.length <= maximumRows) return;
    this.#stride *= 2;
    this.#rows = this.#rows.filter((row) => row.step % this.#stride === 0);
  }

  /** Of the last step. */
  get last(): MetricsRow | undefined {
    return this.#last;
  }

  /** Of all steps, padding excluded. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Every kept row, and the last. */
  get rows(): readonly MetricsRow[] {
    const last = this.#last;
    return last === undefined || this.#rows.at(-1)?.step === last.step ? this.#rows : [...this.#rows, last];
  }

  encode(): Uint8Array {
    const state: MetricsState = {
      stride: this.#stride,
      tokens: this.#tokens,
      rows: this.#rows,
      last: this.#last ?? null,
    };
    return new TextEncoder().encode(JSON.stringify(state));
  }

  /** @throws record-invalid */
  static decode(bytes: Uint8Array): Metrics {
    const { stride, tokens, rows, last } = parse(bytes);
    const metrics = new Metrics();
    metrics.#stride = stride;
    metrics.#tokens = tokens;
    metrics.#rows = rows;
    metrics.#last = last ?? undefined;
    return metrics;
  }
}

function parse(bytes: Uint8Array): MetricsState {
  try {
    return metricsSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new NightstillError('record-invalid', 'expected the metrics of a training, found other bytes', { cause });
  }
}
