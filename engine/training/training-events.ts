/** What a run says of itself, and the time that it counts. */

export type TrainingEvent = MicroBatchEvent | StepEvent;

/** A micro-batch that is not the last of its step was added to the held gradients. */
export interface MicroBatchEvent {
  readonly kind: 'micro-batch';
  /** Updates made. */
  readonly step: number;
  /** Micro-batches of the step under way that are held. */
  readonly microBatch: number;
}

export interface StepEvent {
  readonly kind: 'step';
  /** Updates made, this one included. */
  readonly step: number;
  /** Mean over the trained tokens of the step. */
  readonly loss: number;
  /** The terms of the loss, where it has several, each without its weight in the loss: without α, 1 − α and T². */
  readonly parts: Readonly<Record<string, number>>;
  /** Before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Of the whole step; padding excluded. */
  readonly tokens: number;
  /** Of reading and computing, without the time that the listener took; padding excluded. */
  readonly tokensPerSecond: number;
  /** Of `peakFlops`, 0 … 1; padding excluded. */
  readonly shareOfPeak?: number;
  /** Resident memory of this process. */
  readonly residentBytes: number;
}

/** A mean over a held-out set. */
export interface Evaluation {
  readonly loss: number;
  readonly parts: Readonly<Record<string, number>>;
  /** Sum of the weights over which it is the mean. */
  readonly trainedTokens: number;
}

/** Seconds, without those in which it stands still. */
export class Stopwatch {
  #passedMs = 0;
  #since = performance.now();

  stop(): void {
    this.#passedMs += performance.now() - this.#since;
  }
  start(): void {
    this.#since = performance.now();
  }
  /** Stops, and begins anew with the next start. */
  take(): number {
    this.stop();
    const seconds = this.#passedMs / 1000;
    this.#passedMs = 0;
    return seconds;
  }
}
