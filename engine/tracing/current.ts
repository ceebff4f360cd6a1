/** The recording under way, if any: what marks and composite kernels ask for. */
import type { Operation, Value } from './program.js';

export const tracingBackendName = 'nightstill-tracing';

/** What kernels record into while one function is being traced. */
export class Recording {
  readonly operations: Operation[] = [];
  readonly #blocks: string[] = [];
  #failure: Error | undefined;
  readonly #values = new WeakSet();
  readonly #captured = new WeakMap<object, Value>();

  record(operation: Omit<Operation, 'block'>): readonly Value[] {
    const block = this.#blocks.at(-1);
    this.operations.push(block === undefined ? operation : { ...operation, block });
    for (const value of operation.outputs) this.own(value);
    return operation.outputs;
  }

  /** Inputs and state are values of the recording that no operation makes. */
  own(value: Value): void {
    this.#values.add(value);
  }

  owns(data: object): data is Value {
    return this.#values.has(data);
  }

  /** The constant that stands for the data of a tensor from outside, made at its first use. */
  captured(data: object, make: () => Value): Value {
    const value = this.#captured.get(data) ?? make();
    this.#captured.set(data, value);
    return value;
  }

  /** What the traced function did wrong without noticing: its trace fails when it returns. */
  get failure(): Error | undefined {
    return this.#failure;
  }
  fail(error: Error): void {
    this.#failure ??= error;
  }

  /** What `work` records belongs to the marked block `name`. */
  inBlock<Result>(name: string, work: () => Result): Result {
    this.#blocks.push(name);
    try {
      return work();
    } finally {
      this.#blocks.pop();
    }
  }
}

let current: Recording | undefined;

/** The recording under way, or undefined where functions run eagerly. */
export const currentRecording = (): Recording | undefined => current;

export const setRecording = (recording: Recording | undefined): void => {
  current = recording;
};

/**
 * Marks what `work` computes as one block, whose inner values a training program may compute again for its backward pass
 * instead of keeping them. Eagerly it is a plain call.
 */
export const inBlock = <Result>(name: string, work: () => Result): Result =>
  current === undefined ? work() : current.inBlock(name, work);
