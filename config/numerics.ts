/**
 * How the numbers of a run are computed, as far as their bits depend on it. It is part of the stage key of everything that
 * trains; a worker that cannot compute so refuses. Pure: workflows may import it.
 */
export type Numerics = {
  /** `tensorflow`: the native library. `wasm`: needs nothing, several times slower. */
  readonly runner: 'tensorflow' | 'wasm';
  /** Release of libtensorflow, as in `2.21.0`; null with wasm. */
  readonly tensorflow: string | null;
  readonly xla: boolean;
  readonly precision: 'float32' | 'bfloat16';
  /** Threads within one operation. */
  readonly threads: number;
};

/** The release of libtensorflow that set-up provides, and that a plan means when it names none. */
export const tensorflowRelease = '2.21.0';
