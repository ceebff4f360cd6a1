/** Tensors of which every element is the same known number: how they are recognised and made. */
import type { Numbers, Operation, Value } from '../tracing/program.js';
import type { DataType } from '../tracing/tensor-spec.js';
import type { MakerOf } from './replacement.js';

/** The number, where all elements of the operation's result are bit for bit that number. */
export function uniformNumber(operation: Operation | undefined, makerOf: MakerOf): number | undefined {
  if (operation === undefined) return undefined;
  const { kernel, attributes, constant, inputs, outputs } = operation;
  const [source] = Object.values(inputs);
  if (constant !== undefined) return allEqual(constant);
  if (kernel === 'Fill') return typeof attributes['value'] === 'number' ? attributes['value'] : undefined;
  if (kernel === 'OnesLike') return 1;
  if (kernel === 'ZerosLike') return 0;
  if (source === undefined) return undefined;
  if (kernel === 'Cast') return converted(uniformNumber(makerOf(source), makerOf), outputs[0]);
  return movers.has(kernel) ? uniformNumber(makerOf(source), makerOf) : undefined;
}

/** Kernels of one input that only move or repeat its elements. */
const movers = new Set(['BroadcastTo', 'ExpandDims', 'Reshape', 'Slice', 'Tile', 'Transpose', 'Unpack', 'SplitV']);

function converted(number: number | undefined, to: Value | undefined): number | undefined {
  if (number === undefined || to === undefined) return undefined;
  if (to.dtype === 'bool') return number === 0 ? 0 : 1;
  return to.dtype === 'int32' ? (Math.abs(number) < 2 ** 31 ? Math.trunc(number) : undefined) : Math.fround(number);
}

function allEqual(numbers: Numbers): number | undefined {
  const [first] = numbers;
  return first !== undefined && numbers.every((number) => Object.is(number, first)) ? first : undefined;
}

/** A number, repeated, in the memory of an element type. */
export function numbersOf(number: number, dtype: DataType, count = 1): Numbers {
  if (dtype === 'float32') return new Float32Array(count).fill(number);
  return dtype === 'int32' ? new Int32Array(count).fill(number) : new Uint8Array(count).fill(number);
}
