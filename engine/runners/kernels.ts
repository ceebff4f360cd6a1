/**
 * Replays programs on a tfjs backend: wasm where TensorFlow is not installed, cpu as the oracle of tests. XLA and bfloat16 do
 * not exist here: everything is float32. The backend is tfjs's current one during a call and no longer.
 */
import { hasCode, NightstillError } from '../../config/errors.js';
import type { FailureCode } from '../../config/failures.js';
import { tf } from '../tf.js';
import type { Numbers } from '../tracing/program.js';
import { bytesOf, type TensorSpec } from '../tracing/tensor-spec.js';
import type { TensorSpecs } from '../tracing/trace.js';
import { prepareBackend, whileOnBackend, type KernelsBackend } from './kernels-backend.js';
import { checkInputs, checkNumbers, checkRows, knownProgram, knownVariable } from './numbers.js';
import { describeJavaScript, describeWasm } from './processor.js';
import { makeTensor, numbersOf, replay, scheduleOf, type Schedule } from './replay.js';
import type { Executable, NamedNumbers, NumbersSource, RunnableProgram, Runner } from './runner.js';
import { freeingOnFailure, mebibytes, wasmBytes, whileListening } from './wasm-memory.js';

export const kernelsRunner = ({ backend }: { readonly backend: KernelsBackend }): Runner => ({
  name: `kernels ${backend}`,
  fingerprint: {
    runner: `kernels ${backend}`,
    tensorflow: tf.version_core,
    v8: describeJavaScript(),
    ...describeWasm(),
  },
  async load(state, programs) {
    if (backend === 'wasm') checkFits(state);
    await prepareBackend(backend);
    return new KernelsExecutable(backend, state, programs);
  },
});

/** @throws out-of-memory for a state that no wasm module can hold */
function checkFits(state: TensorSpecs): void {
  const bytes = Object.values(state).reduce((sum, spec) => sum + bytesOf(spec), 0);
  if (bytes <= wasmBytes) return;
  const found = `found one of ${mebibytes(bytes)}: only TensorFlow takes that`;
  throw new NightstillError('out-of-memory', `expected a state within the 4 GiB that wasm can have, ${found}`);
}

class KernelsExecutable implements Executable {
  readonly #state = new Map<string, tf.Tensor>();
  readonly #schedules = new Map<string, Schedule>();

  constructor(
    readonly backend: KernelsBackend,
    readonly specs: TensorSpecs,
    programs: readonly RunnableProgram[],
  ) {
    try {
      this.#on('make room for the state', () => {
        for (const [name, spec] of Object.entries(specs))
          this.#state.set(name, tf.keep(tf.zeros([...spec.shape], spec.dtype)));
        for (const { program } of programs) this.#schedules.set(program.name, scheduleOf(program));
      });
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  run(name: string, inputs: NamedNumbers): Record<string, Numbers> {
    const schedule = knownProgram(this.#schedules, name);
    const numbers = checkInputs(schedule.program, inputs);
    return this.#on(`run program "${name}"`, () => {
      const { outputs, updates } = freeingOnFailure(() => replay(schedule, numbers, this.#state));
      for (const [variable, tensor] of updates) this.#replace(variable, tensor);
      return outputs;
    });
  }

  read(names: readonly string[]): Record<string, Numbers> {
    return this.#on('read the state', () =>
      Object.fromEntries(names.map((name) => [name, numbersOf(this.#variable(name))])),
    );
  }

  write(values: NamedNumbers): void {
    for (const [name, numbers] of Object.entries(values)) checkNumbers(`variable "${name}"`, this.#spec(name), numbers);
    this.#on('write the state', () => {
      for (const [name, numbers] of Object.entries(values))
        this.#replace(name, tf.keep(makeTensor(numbers, this.#spec(name))));
    });
  }

  readRows(name: string, begin: number, count: number): Numbers {
    const width = checkRows(name, this.#spec(name), begin, count);
    return this.#on('read the state', () =>
      this.#variable(name)
        .dataSync<'float32' | 'int32'>()
        .slice(begin * width, (begin + count) * width),
    );
  }

  writeRows(name: string, begin: number, values: Numbers): void {
    const spec = this.#spec(name);
    const [length = 0, ...rest] = spec.shape;
    const count = length === 0 ? 0 : (values.length * length * 4) / bytesOf(spec);
    const width = checkRows(name, spec, begin, count);
    checkNumbers(`rows of variable "${name}"`, { shape: [count, ...rest], dtype: spec.dtype }, values);
    const whole = this.read([name])[name] ?? new Float32Array();
    whole.set(values, begin * width);
    this.write({ [name]: whole });
  }

  async load(names: readonly string[], source: NumbersSource): Promise<void> {
    for (const name of names) this.#spec(name);
    for (const name of names) this.write({ [name]: await source(name, 0, this.#spec(name).shape[0] ?? 1) });
  }

  dispose(): void {
    for (const tensor of this.#state.values()) tensor.dispose();
    for (const { constants } of this.#schedules.values()) for (const tensor of constants.values()) tensor.dispose();
    this.#state.clear();
    this.#schedules.clear();
  }

  #replace(name: string, tensor: tf.Tensor): void {
    this.#variable(name).dispose();
    this.#state.set(name, tensor);
  }

  #spec(name: string): TensorSpec {
    return knownVariable(this.specs, name);
  }

  #variable(name: string): tf.Tensor {
    this.#spec(name);
    const tensor = this.#state.get(name);
    if (tensor === undefined) throw new TypeError(`no variable ${name}`);
    return tensor;
  }

  /** Does the work on the backend. @throws out-of-memory, engine-failed */
  #on<Result>(what: string, work: () => Result): Result {
    return whileOnBackend(this.backend, () => {
      try {
        return whileListening(work);
      } catch (cause) {
        const code = failureOf(cause);
        if (code === undefined) throw cause;
        const why = cause instanceof Error ? cause.message : String(cause);
        const bounds = code === 'out-of-memory' && this.backend === 'wasm' ? ' within the 4 GiB that it can have' : '';
        const expected = `expected the ${this.backend} backend to ${what}${bounds}`;
        throw new NightstillError(code, `${expected}, found: ${why}`, { cause });
      }
    });
  }
}

/** Undefined for an error that has its code and its message already. */
function failureOf(cause: unknown): FailureCode | undefined {
  if (hasCode(cause, 'out-of-memory', 'engine-failed')) return cause.code;
  if (hasCode(cause)) return undefined;
  // JavaScript has no room for an array, or the module's own code none for what it needs besides tensors.
  const full = /Array buffer allocation failed|Invalid typed array length|^Aborted\(/;
  return full.test(cause instanceof Error ? cause.message : String(cause)) ? 'out-of-memory' : 'engine-failed';
}
