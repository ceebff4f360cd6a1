/**
 * Replays programs on a tfjs backend, kernel by kernel: wasm where TensorFlow is not installed, cpu as the oracle of tests.
 * Each intermediate is freed after its last use. XLA and bfloat16 do not exist here: everything is float32.
 */
import { tf } from '../tf.js';
import {
  attributesForTfjs,
  resultsOf,
  usesOf,
  type Numbers,
  type Operation,
  type Program,
  type Value,
} from '../tracing/program.js';
import type { TensorSpec } from '../tracing/tensor-spec.js';
import type { TensorSpecs } from '../tracing/trace.js';
import { checkNumbers, knownVariable } from './numbers.js';
import { prepareBackend, type KernelsBackend } from './kernels-backend.js';
import type { Executable, NamedNumbers, RunnableProgram, Runner } from './runner.js';

export const kernelsRunner = ({ backend }: { readonly backend: KernelsBackend }): Runner => ({
  name: `kernels ${backend}`,
  fingerprint: { runner: `kernels ${backend}`, tensorflow: tf.version_core },
  async load(state, programs) {
    await prepareBackend(backend);
    return new KernelsExecutable(backend, state, programs);
  },
});

/** A program with the values that may be freed after each of its operations. */
interface Schedule {
  readonly program: Program;
  readonly freedAfter: readonly (readonly Value[])[];
  /** Inputs and state that nothing uses are freed with the first. */
  readonly constants: ReadonlyMap<Operation, tf.Tensor>;
}

class KernelsExecutable implements Executable {
  readonly #state = new Map<string, tf.Tensor>();
  readonly #schedules = new Map<string, Schedule>();

  constructor(
    readonly backend: KernelsBackend,
    readonly specs: TensorSpecs,
    programs: readonly RunnableProgram[],
  ) {
    this.#use();
    for (const [name, spec] of Object.entries(specs))
      this.#state.set(name, tf.keep(tf.zeros([...spec.shape], spec.dtype)));
    for (const { program } of programs) this.#schedules.set(program.name, schedule(program));
  }

  run(name: string, inputs: NamedNumbers): Record<string, Numbers> {
    this.#use();
    const plan = this.#schedules.get(name);
    if (plan === undefined) throw new TypeError(`no program ${name}`);
    const { program } = plan;
    const values = new Map<Value, tf.Tensor>();
    for (const [input, value] of program.inputs) {
      const numbers = checkNumbers(`input "${input}" of program "${name}"`, value, inputs[input]);
      values.set(value, makeTensor(numbers, value));
    }
    for (const [variable, value] of program.state) values.set(value, this.#variable(variable));
    const borrowed = new Set(program.state.values());
    for (const [operation, constant] of plan.constants) {
      for (const output of operation.outputs) {
        values.set(output, constant);
        borrowed.add(output);
      }
    }
    program.operations.forEach((operation, index) => {
      if (!plan.constants.has(operation)) runOperation(operation, values);
      for (const value of plan.freedAfter[index] ?? []) {
        if (!borrowed.has(value)) values.get(value)?.dispose();
        values.delete(value);
      }
    });
    return this.#finish(program, values, borrowed);
  }

  #finish(program: Program, values: Map<Value, tf.Tensor>, borrowed: ReadonlySet<Value>): Record<string, Numbers> {
    const outputs = [...program.outputs].map(([name, value]): [string, Numbers] => [
      name,
      numbersOf(tensorOf(values, value)),
    ]);
    const next = [...program.updates].map(([name, update]): [string, tf.Tensor] => [
      name,
      update.kind === 'whole'
        ? tensorOf(values, update.value).clone()
        : replaceRows(this.#variable(name), tensorOf(values, update.indices), tensorOf(values, update.values)),
    ]);
    for (const [value, tensor] of values) if (!borrowed.has(value)) tensor.dispose();
    for (const [name, tensor] of next) {
      this.#variable(name).dispose();
      this.#state.set(name, tf.keep(tensor));
    }
    return Object.fromEntries(outputs);
  }

  read(names: readonly string[]): Record<string, Numbers> {
    this.#use();
    return Object.fromEntries(names.map((name) => [name, numbersOf(this.#variable(name))]));
  }

  write(values: NamedNumbers): void {
    this.#use();
    for (const [name, numbers] of Object.entries(values)) {
      const spec = this.#spec(name);
      const tensor = makeTensor(checkNumbers(`variable "${name}"`, spec, numbers).slice(), spec);
      this.#variable(name).dispose();
      this.#state.set(name, tf.keep(tensor));
    }
  }

  dispose(): void {
    this.#use();
    for (const tensor of this.#state.values()) tensor.dispose();
    for (const { constants } of this.#schedules.values()) for (const tensor of constants.values()) tensor.dispose();
  }

  #use(): void {
    if (tf.getBackend() !== this.backend) void tf.setBackend(this.backend);
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
}

const tensorOf = (values: ReadonlyMap<Value, tf.Tensor>, value: Value): tf.Tensor => {
  const tensor = values.get(value);
  if (tensor === undefined) throw new TypeError('expected a value that an earlier operation computed');
  return tensor;
};

const makeTensor = (numbers: Numbers, { shape, dtype }: TensorSpec): tf.Tensor => tf.tensor(numbers, [...shape], dtype);

/** A copy: what a backend hands out may be its own memory. */
function numbersOf(tensor: tf.Tensor): Numbers {
  const numbers = tensor.dataSync<'float32' | 'int32' | 'bool'>();
  return numbers.slice();
}

function runOperation({ kernel, inputs, attributes, outputs }: Operation, values: Map<Value, tf.Tensor>): void {
  const tensors: Record<string, tf.Tensor> = {};
  for (const [name, value] of Object.entries(inputs)) tensors[name] = tensorOf(values, value);
  // Kernels of many inputs take a list.
  const given = '0' in tensors ? Object.values(tensors) : tensors;
  const results = tf
    .engine()
    .runKernel<tf.Tensor | tf.Tensor[]>(kernel, given as tf.NamedTensorMap, attributesForTfjs(attributes));
  [results].flat().forEach((tensor, index) => {
    const output = outputs[index];
    if (output === undefined) tensor.dispose();
    else values.set(output, tensor);
  });
}

/** The variable with some of its rows replaced, as a new tensor. */
const replaceRows = (variable: tf.Tensor, indices: tf.Tensor, rows: tf.Tensor): tf.Tensor =>
  tf.tidy(() => tf.tensorScatterUpdate(variable, indices.expandDims(1), rows));

function schedule(program: Program): Schedule {
  const lastUse = new Map<Value, number>();
  program.operations.forEach((operation, index) => {
    for (const value of [...usesOf(operation), ...operation.outputs]) lastUse.set(value, index);
  });
  for (const value of resultsOf(program)) lastUse.delete(value);
  const freedAfter = program.operations.map((): Value[] => []);
  for (const [value, index] of lastUse) freedAfter[index]?.push(value);
  const constants = new Map<Operation, tf.Tensor>();
  for (const operation of program.operations) {
    const [spec] = operation.outputs;
    if (operation.constant !== undefined && spec !== undefined) {
      constants.set(operation, tf.keep(makeTensor(operation.constant, spec)));
    }
  }
  return { program, freedAfter, constants };
}
