/** One call of a program on the current tfjs backend, kernel by kernel; each intermediate is freed after its last use. */
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
import { sizeOf, type TensorSpec } from '../tracing/tensor-spec.js';
import { checkOutput } from './wasm-memory.js';

/** A program with its constants as tensors and with the values that may be freed after each of its operations. */
export interface Schedule {
  readonly program: Program;
  readonly freedAfter: readonly (readonly Value[])[];
  readonly constants: ReadonlyMap<Operation, tf.Tensor>;
}

export function scheduleOf(program: Program): Schedule {
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
    if (operation.constant !== undefined && spec !== undefined)
      constants.set(operation, tf.keep(makeTensor(operation.constant, spec)));
  }
  return { program, freedAfter, constants };
}

export interface Replayed {
  readonly outputs: Record<string, Numbers>;
  /** New content of variables; the caller's to dispose. */
  readonly updates: ReadonlyMap<string, tf.Tensor>;
}

/** @param state the program's variables, which stay the caller's */
export function replay(
  { program, freedAfter, constants }: Schedule,
  inputs: readonly Numbers[],
  state: ReadonlyMap<string, tf.Tensor>,
): Replayed {
  const values = new Map<Value, tf.Tensor>();
  const borrowed = new Set<Value>(program.state.values());
  try {
    [...program.inputs.values()].forEach((value, index) => {
      const numbers = inputs[index];
      if (numbers !== undefined) values.set(value, makeTensor(numbers, value));
    });
    for (const [name, value] of program.state) values.set(value, variable(state, name));
    program.operations.forEach((operation, index) => {
      const constant = constants.get(operation);
      const [output] = operation.outputs;
      if (constant !== undefined && output !== undefined) {
        values.set(output, constant);
        borrowed.add(output);
      } else runOperation(operation, values);
      for (const value of freedAfter[index] ?? []) {
        if (!borrowed.has(value)) values.get(value)?.dispose();
        values.delete(value);
      }
    });
    checkOutput();
    const outputs = [...program.outputs].map(([name, value]): [string, Numbers] => [
      name,
      numbersOf(tensorOf(values, value)),
    ]);
    return { outputs: Object.fromEntries(outputs), updates: updatesOf(program, values, state) };
  } finally {
    for (const [value, tensor] of values) if (!borrowed.has(value)) tensor.dispose();
  }
}

function updatesOf(
  program: Program,
  values: ReadonlyMap<Value, tf.Tensor>,
  state: ReadonlyMap<string, tf.Tensor>,
): Map<string, tf.Tensor> {
  const updates = new Map<string, tf.Tensor>();
  try {
    for (const [name, update] of program.updates) {
      const next =
        update.kind === 'whole'
          ? tensorOf(values, update.value).clone()
          : replaceRows(variable(state, name), tensorOf(values, update.indices), tensorOf(values, update.values));
      updates.set(name, tf.keep(next));
    }
  } catch (error) {
    for (const tensor of updates.values()) tensor.dispose();
    throw error;
  }
  return updates;
}

function runOperation({ kernel, inputs, attributes, outputs }: Operation, values: Map<Value, tf.Tensor>): void {
  // Some kernels of wasm divide by the length of an axis, or cannot be made for none.
  if (outputs.length > 0 && outputs.every(({ shape }) => shape.includes(0))) {
    for (const output of outputs) values.set(output, tf.zeros([...output.shape], output.dtype));
    return;
  }
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

/** The tensor with some of its rows replaced, as a new one: tfjs's own scatter on cpu would write into the old one. */
function replaceRows(tensor: tf.Tensor, indices: tf.Tensor, rows: tf.Tensor): tf.Tensor {
  const [numbers, replacing] = [numbersOf(tensor), numbersOf(rows)];
  const width = sizeOf(tensor.shape.slice(1));
  numbersOf(indices).forEach((row, index) => {
    numbers.set(replacing.subarray(index * width, (index + 1) * width), row * width);
  });
  return tf.tensor(numbers, tensor.shape, tensor.dtype);
}

const tensorOf = (values: ReadonlyMap<Value, tf.Tensor>, value: Value): tf.Tensor => {
  const tensor = values.get(value);
  if (tensor === undefined) throw new TypeError('expected a value that an earlier operation computed');
  return tensor;
};

const variable = (state: ReadonlyMap<string, tf.Tensor>, name: string): tf.Tensor => {
  const tensor = state.get(name);
  if (tensor === undefined) throw new TypeError(`no variable ${name}`);
  return tensor;
};

/** Of a copy: a backend may keep the array that it is given. */
export const makeTensor = (numbers: Numbers, { shape, dtype }: TensorSpec): tf.Tensor =>
  tf.tensor(numbers.slice(), [...shape], dtype);

/** A copy: what a backend hands out may be its own memory, and of another type where the backend only renames types. */
export function numbersOf(tensor: tf.Tensor): Numbers {
  const numbers = tensor.dataSync<'float32' | 'int32' | 'bool'>();
  if (tensor.dtype === 'float32') return Float32Array.from(numbers);
  return tensor.dtype === 'int32' ? Int32Array.from(numbers) : Uint8Array.from(numbers);
}
