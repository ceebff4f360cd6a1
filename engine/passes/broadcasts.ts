/**
 * Operations that broadcast take what was broadcast for them: the tensor before it was tiled, and one number instead of a
 * constant of one value. Exact: the same elements meet.
 */
import type { Operation, Program, Value } from '../tracing/program.js';
import { broadcast } from '../tracing/shapes.js';
import { sizeOf } from '../tracing/tensor-spec.js';
import {
  constantInstead,
  instead,
  replaceOperations,
  sameShape,
  type MakerOf,
  type Replacement,
} from './replacement.js';
import { numbersOf, uniformNumber } from './uniform.js';

/** Kernels whose inputs all broadcast to the shape of the result. */
const broadcasting: ReadonlySet<string> = new Set(
  (
    'Add BroadcastingSelect Equal FloorDiv Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr Maximum Minimum Mod ' +
    'Multiply NotEqual Pow RealDiv Select SquaredDifference Sub'
  ).split(' '),
);

/** From here on a constant of one value is filled in by each run instead of being kept. */
const keptElements = 64;

/** Constants of one value become scalars where every user broadcasts them, and are filled in elsewhere. */
export const scalarConstants = (program: Program): Program =>
  replaceOperations(program, (operation, makerOf) => {
    if (broadcasting.has(operation.kernel)) return withScalars(operation, makerOf);
    return operation.kernel === 'Fill' ? undefined : filled(operation, makerOf);
  });

/** An operation that broadcasts by itself takes the tensor as it was before it was tiled, broadcast or given leading axes. */
export const broadcastOperands = (program: Program): Program =>
  replaceOperations(program, (operation, makerOf) =>
    broadcasting.has(operation.kernel)
      ? withInputs(operation, (value) => beforeBroadcast(value, makerOf), [])
      : undefined,
  );

function withScalars(operation: Operation, makerOf: MakerOf): Replacement | undefined {
  const made: Operation[] = [];
  const narrowed = (value: Value): Value => {
    const number = value.shape.length === 0 ? undefined : uniformNumber(makerOf(value), makerOf);
    if (number === undefined) return value;
    const scalar: Value = { shape: [], dtype: value.dtype };
    made.push({ ...constantInstead(operation, numbersOf(number, scalar.dtype)), outputs: [scalar] });
    return scalar;
  };
  return withInputs(operation, narrowed, made);
}

/** The operation with narrower inputs, one after another, as long as its result keeps its shape. */
function withInputs(
  operation: Operation,
  narrowed: (value: Value) => Value,
  made: readonly Operation[],
): Replacement | undefined {
  const { outputs, kernel, attributes } = operation;
  const inputs: Record<string, Value> = { ...operation.inputs };
  let changed = false;
  for (const [name, value] of Object.entries(operation.inputs)) {
    const narrow = narrowed(value);
    const shape = broadcast(...Object.values({ ...inputs, [name]: narrow }).map((input) => input.shape));
    if (narrow === value || !sameShape(shape, outputs[0]?.shape ?? [])) continue;
    inputs[name] = narrow;
    changed = true;
  }
  if (!changed) return undefined;
  const used = new Set(Object.values(inputs));
  const constants = made.filter((constant) => constant.outputs.some((output) => used.has(output)));
  return {
    operations: [
      ...constants,
      instead(operation, kernel === 'Select' ? 'BroadcastingSelect' : kernel, inputs, attributes),
    ],
  };
}

function filled(operation: Operation, makerOf: MakerOf): Replacement | undefined {
  const [result] = operation.outputs;
  if (result === undefined || operation.outputs.length > 1) return undefined;
  const number = uniformNumber(operation, makerOf);
  if (number === undefined) return undefined;
  if (sizeOf(result.shape) > keptElements) {
    const { shape, dtype } = result;
    return { operations: [instead(operation, 'Fill', {}, { shape, dtype, value: number })] };
  }
  if (operation.constant !== undefined) return undefined;
  return { operations: [constantInstead(operation, numbersOf(number, result.dtype, sizeOf(result.shape)))] };
}

/** The tensor of which `value` is a broadcast in numpy's sense; `value` itself where it is none. */
function beforeBroadcast(value: Value, makerOf: MakerOf): Value {
  const maker = makerOf(value);
  const x = maker?.inputs['x'] ?? maker?.inputs['input'];
  if (maker === undefined || x === undefined) return value;
  if (maker.kernel === 'Tile' || maker.kernel === 'BroadcastTo') {
    return repeatsWholeAxes(x.shape, value.shape) ? beforeBroadcast(x, makerOf) : value;
  }
  const addsAxes = maker.kernel === 'Reshape' || maker.kernel === 'ExpandDims';
  return addsAxes && onlyLeadingOnes(x.shape, value.shape) ? beforeBroadcast(x, makerOf) : value;
}

/** Every axis keeps its length or had the length 1. */
function repeatsWholeAxes(from: readonly number[], to: readonly number[]): boolean {
  const offset = to.length - from.length;
  return from.every((length, axis) => length === 1 || length === to[axis + offset]);
}

const onlyLeadingOnes = (from: readonly number[], to: readonly number[]): boolean => {
  const added = to.length - from.length;
  return added >= 0 && to.slice(0, added).every((length) => length === 1) && sameShape(to.slice(added), from);
};
