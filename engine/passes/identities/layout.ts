/** Identities of kernels that move elements: what moves nothing, or moves back, or twice. Exact but for the sign of zeros. */
import type { Operation, Value } from '../../tracing/program.js';
import { axesOf, axisOf, flagOf, listed, numbersOf } from '../../tracing/shapes.js';
import { sizeOf } from '../../tracing/tensor-spec.js';
import { asResult, instead, step, type MakerOf, type Replacement } from '../replacement.js';

type Rule = (operation: Operation, x: Value, makerOf: MakerOf) => Replacement | undefined;

const result = (operation: Operation): Value => operation.outputs[0] ?? { shape: [], dtype: 'float32' };

/** A result of as many elements as the input has the same elements. */
const whole: Rule = (operation, x) =>
  sizeOf(result(operation).shape) === sizeOf(x.shape) ? asResult(operation, x) : undefined;

const reshape: Rule = (operation, x, makerOf) => {
  const maker = makerOf(x);
  const before = isReshape(maker) ? (maker.inputs['x'] ?? maker.inputs['input']) : undefined;
  const replacement = asResult(operation, before ?? x);
  const changes = before !== undefined || operation.kernel !== 'Reshape';
  return changes || (replacement !== undefined && 'values' in replacement) ? replacement : undefined;
};

const isReshape = (operation: Operation | undefined): operation is Operation =>
  operation?.kernel === 'Reshape' || operation?.kernel === 'ExpandDims';

const transpose: Rule = (operation, x, makerOf) => {
  const axes = numbersOf(operation.attributes, 'perm');
  if (keepsOrder(axes, x.shape)) return asResult(operation, x);
  const maker = makerOf(x);
  const before = maker?.kernel === 'Transpose' ? maker.inputs['x'] : undefined;
  if (maker === undefined || before === undefined) return undefined;
  const inner = numbersOf(maker.attributes, 'perm');
  const perm = axes.map((axis) => inner[axis] ?? axis);
  return keepsOrder(perm, before.shape)
    ? asResult(operation, before)
    : { operations: [instead(operation, 'Transpose', { x: before }, { perm })] };
};

/** Only axes of length 1 change places. */
function keepsOrder(axes: readonly number[], shape: readonly number[]): boolean {
  const long = axes.filter((axis) => shape[axis] !== 1);
  return long.every((axis, index) => index === 0 || axis > (long[index - 1] ?? 0));
}

/** A reduction along axes of length 1 reduces nothing; only a sum that begins with 0 would lose the sign of -0. */
const reduction: Rule = (operation, x) =>
  axesOf(operation.attributes, x.shape).every((axis) => x.shape[axis] === 1) ? asResult(operation, x) : undefined;

const cast: Rule = (operation, x) => (result(operation).dtype === x.dtype ? asResult(operation, x) : undefined);

const single: Rule = (operation, x) =>
  Object.keys(operation.inputs).length === 1 ? asResult(operation, x) : undefined;

/** Parts that are put together as they were cut are what was cut. */
const concat: Rule = (operation, x, makerOf) => {
  const maker = makerOf(x);
  const parts = listed(operation.inputs);
  if (maker?.kernel !== 'SplitV' || parts.length !== maker.outputs.length) return single(operation, x, makerOf);
  const cut = maker.inputs['x'];
  const together = parts.every((part, index) => part === maker.outputs[index]);
  const axis = axisOf(operation.attributes, x.shape.length);
  return cut !== undefined && together && axis === axisOf(maker.attributes, x.shape.length)
    ? asResult(operation, cut)
    : undefined;
};

const sumOfMany: Rule = (operation, x, makerOf) => {
  const { 0: a, 1: b, ...others } = operation.inputs;
  if (a === undefined || b === undefined || Object.keys(others).length > 0) return single(operation, x, makerOf);
  return { operations: [instead(operation, 'Add', { a, b })] };
};

/** Cutting what was put together of such parts gives the parts. */
const split: Rule = (operation, x, makerOf) => {
  if (operation.outputs.length === 1) return asResult(operation, x);
  const maker = makerOf(x);
  if (maker?.kernel !== 'Concat') return undefined;
  const axis = axisOf(operation.attributes, x.shape.length);
  const parts = listed(maker.inputs);
  const fits =
    axis === axisOf(maker.attributes, x.shape.length) &&
    parts.length === operation.outputs.length &&
    parts.every((part, index) => part.shape[axis] === operation.outputs[index]?.shape[axis]);
  return fits ? { values: parts } : undefined;
};

/** A product takes its operands as they lie: swapping the last two axes before is a flag of the product. */
const product: Rule = (operation, _, makerOf) => {
  const inputs: Record<string, Value> = { ...operation.inputs };
  const attributes = { ...operation.attributes };
  for (const [name, flag] of [
    ['a', 'transposeA'],
    ['b', 'transposeB'],
  ] as const) {
    const before = beforeSwap(inputs[name], makerOf);
    if (before === undefined) continue;
    inputs[name] = before;
    attributes[flag] = !flagOf(attributes, flag);
  }
  const changed = Object.entries(inputs).some(([name, value]) => value !== operation.inputs[name]);
  return changed ? { operations: [instead(operation, operation.kernel, inputs, attributes)] } : undefined;
};

function beforeSwap(value: Value | undefined, makerOf: MakerOf): Value | undefined {
  const maker = value === undefined ? undefined : makerOf(value);
  if (maker?.kernel !== 'Transpose') return undefined;
  const axes = numbersOf(maker.attributes, 'perm');
  const last = axes.length - 1;
  const swaps = axes.every((axis, index) => axis === (index < last - 1 ? index : index === last ? last - 1 : last));
  return swaps ? maker.inputs['x'] : undefined;
}

/** Rows of a matrix that was turned over are columns of what it was: a few of them are picked, then turned over. */
const gather: Rule = (operation, x, makerOf) => {
  const before = beforeSwap(x, makerOf);
  const [{ shape }, indices] = [result(operation), operation.inputs['indices']];
  const [count, width] = shape;
  const plain = x.shape.length === 2 && indices?.shape.length === 1 && axisOf(operation.attributes, 2) === 0;
  if (before === undefined || indices === undefined || count === undefined || width === undefined || !plain)
    return undefined;
  const columns: Value = { shape: [width, count], dtype: x.dtype };
  const picked = step(operation, 'GatherV2', { x: before, indices }, columns, { axis: 1, batchDims: 0 });
  return { operations: [picked.operation, instead(operation, 'Transpose', { x: picked.value }, { perm: [1, 0] })] };
};

const rules: Readonly<Record<string, Rule | undefined>> = {
  AddN: sumOfMany,
  BatchMatMul: product,
  BroadcastTo: whole,
  Cast: cast,
  Concat: concat,
  ExpandDims: reshape,
  GatherV2: gather,
  Max: reduction,
  Mean: reduction,
  Min: reduction,
  Pack: single,
  PadV2: whole,
  Prod: reduction,
  Reshape: reshape,
  Slice: whole,
  SplitV: split,
  Sum: reduction,
  Tile: whole,
  Transpose: transpose,
};

export function layoutIdentity(operation: Operation, makerOf: MakerOf): Replacement | undefined {
  const [x] = Object.values(operation.inputs);
  return x === undefined ? undefined : rules[operation.kernel]?.(operation, x, makerOf);
}
