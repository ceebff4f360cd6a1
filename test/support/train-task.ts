/** What a child that trains is told, and what it says: one line of JSON after each event of its run. */
export interface TrainTask {
  readonly runner: 'tensorflow' | 'wasm';
  readonly xla: boolean;
  readonly precision: 'float32' | 'bfloat16';
  /** Where TensorFlow and compiled programs are. */
  readonly packageDirectory: string;
  readonly cacheDirectory: string;
  readonly threads: number;
  /** The file of the state; a child goes on from what it finds there. */
  readonly stateFile: string;
  readonly seed: number;
  readonly untilStep: number;
  /** The child keeps the state at this event, and stands still. */
  readonly pauseAt?: number;
}

export const microBatches = 2;

/** Events are numbered: the micro-batches that are done. */
export const eventNumber = (step: number, microBatch: number): number => step * microBatches + microBatch;

/** States are kept now and then only, so that what comes after is done again: between steps and within them. */
export const isKept = (event: number): boolean => event % 3 === 0;

export type TrainLine =
  | { readonly said: 'restored'; readonly event: number; readonly differences: readonly string[] }
  | { readonly said: 'event'; readonly event: number; readonly progress: unknown; readonly digests: Digests };

/** sha256 of each tensor's bytes by name. */
export type Digests = Readonly<Record<string, string>>;
