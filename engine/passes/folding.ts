/**
 * Arithmetic on known numbers is done once: elementwise kernels of tensors of one value each, reshapes and casts of constants.
 * Sums, products, quotients and roots of float32 numbers computed in double precision and rounded once are the correctly
 * rounded ones, so every runner would compute the same (denormal numbers apart, which TensorFlow flushes to zero).
 */
import type { Numbers, Operation, Program, Value } from '../tracing/program.js';
import { input } from '../tracing/shapes.js';
import { constantInstead, instead, replaceOperations, type MakerOf, type Replacement } from './replacement.js';
import { uniformNumber } from './uniform.js';

const unary: Readonly<Record<string, ((x: number) => number) | undefined>> = {
  Abs: Math.abs,
  LogicalNot: (x) => (x === 0 ? 1 : 0),
  Neg: (x) => -x,
  Sqrt: Math.sqrt,
  Square: (x) => x * x,
};

const binary: Readonly<Record<string, ((a: number, b: number) => number) | undefined>> = {
  Add: (a, b) => a + b,
  Equal: (a, b) => (a === b ? 1 : 0),
  Greater: (a, b) => (a > b ? 1 : 0),
  GreaterEqual: (a, b) => (a >= b ? 1 : 0),
  Less: (a, b) => (a < b ? 1 : 0),
  LessEqual: (a, b) => (a <= b ? 1 : 0),
  LogicalAnd: (a, b) => Math.min(a, b),
  LogicalOr: (a, b) => Math.max(a, b),
  Multiply: (a, b) => a * b,
  NotEqual: (a, b) => (a === b ? 0 : 1),
  RealDiv: (a, b) => a / b,
  Sub: (a, b) => a - b,
};

export const foldConstants = (program: Program): Program =>
  replaceOperations(program, (operation, makerOf) => uniformResult(operation, makerOf) ?? moved(operation, makerOf));

/** Elementwise, of inputs that are one known number each. */
function uniformResult(operation: Operation, makerOf: MakerOf): Replacement | undefined {
  const { kernel, inputs, outputs } = operation;
  const [result] = outputs;
  const { x, a, b } = inputs;
  if (result === undefined || [x, a, b].every((value) => value === undefined)) return undefined;
  const known = (value: Value | undefined): number | undefined => value && uniformNumber(makerOf(value), makerOf);
  const [one, left, right] = [known(x), known(a), known(b)];
  const number =
    one !== undefined
      ? unary[kernel]?.(one)
      : left !== undefined && right !== undefined
        ? binary[kernel]?.(left, right)
        : undefined;
  const exact = number === undefined ? undefined : representable(number, result);
  if (exact === undefined) return undefined;
  const { shape, dtype } = result;
  return { operations: [instead(operation, 'Fill', {}, { shape, dtype, value: exact })] };
}

/** Undefined for what an int32 cannot hold: there, runners overflow in their own ways. */
function representable(number: number, { dtype }: Value): number | undefined {
  if (dtype === 'float32') return Math.fround(number);
  return Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : undefined;
}

/** A constant of another shape or type. */
function moved(operation: Operation, makerOf: MakerOf): Replacement | undefined {
  const { kernel, inputs, outputs } = operation;
  if (kernel !== 'Reshape' && kernel !== 'ExpandDims' && kernel !== 'Cast') return undefined;
  const constant = makerOf(input(inputs, 'x', 'input'))?.constant;
  const [result] = outputs;
  if (constant === undefined || result === undefined) return undefined;
  const numbers = kernel === 'Cast' ? converted(constant, result) : constant;
  return numbers && { operations: [constantInstead(operation, numbers)] };
}

function converted(numbers: Numbers, { dtype }: Value): Numbers | undefined {
  if (dtype === 'float32') return Float32Array.from(numbers);
  if (dtype === 'bool') return Uint8Array.from(numbers, (number) => (number === 0 ? 0 : 1));
  return numbers instanceof Uint8Array ? Int32Array.from(numbers) : undefined;
}
