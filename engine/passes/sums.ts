/**
 * Sums of many tensors, for XLA: TensorFlow's optimizer turns its `AddN` into temporary variables where memory is scarce, and
 * XLA knows none. Numbers are collected and summed; larger tensors are added one after another.
 */
import type { Operation, Program, Value } from '../tracing/program.js';
import { listed } from '../tracing/shapes.js';
import { instead, replaceOperations, step, type Replacement } from './replacement.js';

export const splitSums = (program: Program, { xla }: { readonly xla: boolean }): Program =>
  xla
    ? replaceOperations(program, (operation) => (operation.kernel === 'AddN' ? split(operation) : undefined))
    : program;

function split(operation: Operation): Replacement | undefined {
  const [first, ...others] = listed(operation.inputs);
  const last = others.pop();
  if (first === undefined || last === undefined) return undefined;
  if (first.shape.length === 0) return collected(operation);
  const operations: Operation[] = [];
  let sum: Value = first;
  for (const value of others) {
    const next = step(operation, 'Add', { a: sum, b: value }, first);
    operations.push(next.operation);
    sum = next.value;
  }
  return { operations: [...operations, instead(operation, 'Add', { a: sum, b: last })] };
}

function collected(operation: Operation): Replacement {
  const values = listed(operation.inputs);
  const spec: Value = { shape: [values.length], dtype: values[0]?.dtype ?? 'float32' };
  const inputs = Object.fromEntries(values.map((value, index) => [`${index}`, value]));
  const packed = step(operation, 'Pack', inputs, spec, { axis: 0 });
  const axes = { axis: [0], keepDims: false };
  return { operations: [packed.operation, instead(operation, 'Sum', { x: packed.value }, axes)] };
}
