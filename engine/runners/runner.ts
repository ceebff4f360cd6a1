/** What runs recorded programs: the port between `compile()` and TensorFlow, wasm or plain JavaScript. */
import type { Numbers, Program } from '../tracing/program.js';
import type { TensorSpecs } from '../tracing/trace.js';

export type NamedNumbers = Readonly<Record<string, Numbers>>;

/**
 * Hands over rows `begin` to `begin + count` of a state variable, or all of the variable at once. A large variable is asked
 * for in parts, from its first row on; a scalar is one row. A source may fill `into`, which has the size of what is asked for, and
 * return it: of new arrays, tens of megabytes would pile up before they are collected.
 */
export type NumbersSource = (
  name: string,
  begin: number,
  count: number,
  into?: Float32Array,
) => Promise<Numbers> | Numbers;

/** How one program is to be run. */
export interface RunnableProgram {
  readonly program: Program;
  /** Compile the program as one XLA computation. The kernels runner knows no XLA and ignores it. */
  readonly xla: boolean;
  /** bfloat16 rounds operands and results of matrix products and nothing else. The kernels runner computes in float32. */
  readonly precision: 'float32' | 'bfloat16';
}

/** Programs with their shared state, ready to run. Arrays that are passed in are copied; those handed out are the caller's. */
export interface Executable {
  /** @param inputs every input of the program, in the type and size that it declared */
  run(program: string, inputs: NamedNumbers): Record<string, Numbers>;
  read(names: readonly string[]): Record<string, Numbers>;
  write(values: NamedNumbers): void;
  /** Rows `begin` to `begin + count` of a variable along its first axis. */
  readRows(name: string, begin: number, count: number): Numbers;
  writeRows(name: string, begin: number, values: Numbers): void;
  /** Sets variables one after another, with little more memory than they take. */
  load(names: readonly string[], source: NumbersSource): Promise<void>;
  dispose(): void;
}

export interface Runner {
  /** For messages. */
  readonly name: string;
  /** What the bits of its results depend on. */
  readonly fingerprint: Readonly<Record<string, string | number | boolean>>;
  /** State begins as zeros. */
  load(state: TensorSpecs, programs: readonly RunnableProgram[]): Promise<Executable>;
}
