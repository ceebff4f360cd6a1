/** Shape rules that several kernels share. All arithmetic is on plain numbers: nothing here touches a tensor. */
import { NightstillError } from '../../config/errors.js';
import { tf } from '../tf.js';
import { callerLine } from './caller.js';
import type { Attribute, Attributes, KernelInputs, Value } from './program.js';
import type { DataType, TensorSpec } from './tensor-spec.js';

/** The input of that name; the first of several names when a kernel has more than one spelling. */
export function input(inputs: KernelInputs, ...names: readonly string[]): Value {
  for (const name of names) {
    const value = inputs[name];
    if (value !== undefined) return value;
  }
  throw new NightstillError(
    'unexpected',
    `expected an input ${names.join(' or ')}, found ${Object.keys(inputs).join(', ')}`,
  );
}

/** @throws kernel-unsupported with the line that asked for it, unless the values are all of one of these types */
export function checkTypes(kernel: string, values: readonly Value[], types: readonly DataType[]): void {
  const [first] = values;
  if (values.every(({ dtype }) => dtype === first?.dtype && types.includes(dtype))) return;
  throw new NightstillError(
    'kernel-unsupported',
    `expected "${kernel}" of ${types.join(' or ')}, found ${values.map(({ dtype }) => dtype).join(' and ')}, ` +
      `asked for by ${callerLine()}`,
    { details: { kernel } },
  );
}

/** The inputs of a kernel that takes many, in order. */
export const listed = (inputs: KernelInputs): readonly Value[] =>
  Object.keys(inputs)
    .sort((one, other) => Number(one) - Number(other))
    .map((name) => input(inputs, name));

export function broadcast(...shapes: readonly (readonly number[])[]): number[] {
  return shapes.reduce<number[]>(
    (shape, other) => tf.backend_util.assertAndGetBroadcastShape(shape, [...other]),
    [...(shapes[0] ?? [])],
  );
}

export function numberOf(attributes: Attributes, name: string, otherwise?: number): number {
  const attribute = attributes[name] ?? otherwise;
  if (typeof attribute !== 'number') throw new NightstillError('unexpected', `expected a number as ${name}`);
  return attribute;
}

export const flagOf = (attributes: Attributes, name: string): boolean => attributes[name] === true;

const isNumbers = (attribute: Attribute): attribute is readonly number[] =>
  Array.isArray(attribute) && attribute.every((element) => typeof element === 'number');

export function numbersOf(attributes: Attributes, name: string): number[] {
  const attribute = attributes[name];
  if (typeof attribute === 'number') return [attribute];
  if (!isNumbers(attribute)) throw new NightstillError('unexpected', `expected numbers as ${name}`);
  return [...attribute];
}

export function dtypeOf(attribute: Attribute): TensorSpec['dtype'] {
  if (attribute === 'float32' || attribute === 'int32' || attribute === 'bool') return attribute;
  throw new NightstillError('kernel-unsupported', `expected float32, int32 or bool, found ${String(attribute)}`);
}

/** The axes of a reduction, all of them when none is named. */
export function axesOf(attributes: Attributes, shape: readonly number[]): number[] {
  const named = attributes['axis'] ?? attributes['reductionIndices'];
  const axes =
    named === null || named === undefined
      ? [...shape.keys()]
      : typeof named === 'number'
        ? named
        : numbersOf({ named }, 'named');
  return tf.util.parseAxisParam(axes, [...shape]);
}

export const reduced = (shape: readonly number[], axes: readonly number[], keep: boolean): number[] =>
  shape.flatMap((length, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [length]));

/** A dimension from the end when it is negative. */
export const axisOf = (attributes: Attributes, rank: number, name = 'axis'): number => {
  const axis = numberOf(attributes, name, 0);
  return axis < 0 ? axis + rank : axis;
};

export const replaced = (shape: readonly number[], axis: number, length: number): number[] =>
  shape.map((old, index) => (index === axis ? length : old));

export function productShape(a: Value, b: Value, attributes: Attributes): number[] {
  const rows = a.shape.at(flagOf(attributes, 'transposeA') ? -1 : -2) ?? 1;
  const columns = b.shape.at(flagOf(attributes, 'transposeB') ? -2 : -1) ?? 1;
  return [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
}

export function splitSizes(value: Value, attributes: Attributes, axis: number): number[] {
  const named = attributes['numOrSizeSplits'];
  return tf.backend_util.prepareSplitSize(
    shapeOnly(value),
    typeof named === 'number' ? named : numbersOf(attributes, 'numOrSizeSplits'),
    axis,
  );
}

export function sliceOf(value: Value, attributes: Attributes): { begin: number[]; size: number[] } {
  const [begin = [], size = []] = tf.slice_util.parseSliceParams(
    shapeOnly(value),
    numbersOf(attributes, 'begin'),
    numbersOf(attributes, 'size'),
  );
  return { begin, size };
}

/** tfjs's shape rules take a tensor and read nothing but its shape. */
const shapeOnly = ({ shape, dtype }: Value): tf.TensorInfo => ({ dataId: {}, shape: [...shape], dtype });

export const withAxis = (shape: readonly number[], axis: number, length: number): number[] => [
  ...shape.slice(0, axis),
  length,
  ...shape.slice(axis),
];

export const withoutAxis = (shape: readonly number[], axis: number): number[] =>
  shape.filter((_, index) => index !== axis);
