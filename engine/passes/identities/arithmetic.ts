/**
 * Identities of elementwise arithmetic. They hold bit for bit in IEEE 754, but for powers of a constant exponent (`power`), which are
 * rounded otherwise than a general power, and better. Adding +0 is no identity (-0 + 0 is +0); subtracting +0 and adding -0 are.
 */
import type { Operation, Value } from '../../tracing/program.js';
import { asResult, instead, step, type MakerOf, type Replacement } from '../replacement.js';
import { uniformNumber } from '../uniform.js';

type Rule = (operation: Operation, operands: Operands, makerOf: MakerOf) => Replacement | undefined;

interface Operands {
  readonly a: Value;
  readonly b: Value;
  /** Of all elements, where they are known and equal. */
  readonly constantA: number | undefined;
  readonly constantB: number | undefined;
}

/** The value of which this one is the negative. */
function negated(value: Value, makerOf: MakerOf): Value | undefined {
  const maker = makerOf(value);
  return maker?.kernel === 'Neg' ? maker.inputs['x'] : undefined;
}

const same = (operation: Operation, value: Value): Replacement | undefined => {
  const replacement = asResult(operation, value);
  return replacement !== undefined && 'values' in replacement ? replacement : undefined;
};

const rules: Readonly<Record<string, Rule | undefined>> = {
  Multiply(operation, { a, b, constantA, constantB }) {
    if (constantB === 1) return same(operation, a);
    if (constantA === 1) return same(operation, b);
    if (constantB === -1) return negative(operation, a);
    return constantA === -1 ? negative(operation, b) : undefined;
  },
  RealDiv: (operation, { a, constantB }) => (constantB === 1 ? same(operation, a) : undefined),
  Add(operation, { a, b, constantA, constantB }, makerOf) {
    if (isNothing(constantB, -0, a)) return same(operation, a);
    if (isNothing(constantA, -0, b)) return same(operation, b);
    const [minusA, minusB] = [negated(a, makerOf), negated(b, makerOf)];
    if (minusB !== undefined) return { operations: [instead(operation, 'Sub', { a, b: minusB })] };
    return minusA === undefined ? undefined : { operations: [instead(operation, 'Sub', { a: b, b: minusA })] };
  },
  Sub(operation, { a, b, constantB }, makerOf) {
    if (isNothing(constantB, 0, a)) return same(operation, a);
    const minusB = negated(b, makerOf);
    return minusB === undefined ? undefined : { operations: [instead(operation, 'Add', { a, b: minusB })] };
  },
  Pow: (operation, { a, constantB }) => power(operation, a, constantB),
};

/** Zero, of the sign that changes nothing; among integers there is only one. */
const isNothing = (constant: number | undefined, zero: number, { dtype }: Value): boolean =>
  constant !== undefined && (dtype === 'float32' ? Object.is(constant, zero) : constant === 0);

function negative(operation: Operation, x: Value): Replacement | undefined {
  return same(operation, x) && { operations: [instead(operation, 'Neg', { x })] };
}

/**
 * Powers of a constant exponent, as in the gradients of square roots. Roots and reciprocals are rounded better than a general
 * power. Beyond rounding they differ from it for -0 and -∞ alone: there a power of 0.5 gives +0 and +∞, a root -0 and NaN.
 */
function power(operation: Operation, x: Value, exponent: number | undefined): Replacement | undefined {
  if (exponent === undefined || x.dtype !== 'float32' || same(operation, x) === undefined) return undefined;
  const kernel = plainPowers.get(exponent);
  if (exponent === 1) return same(operation, x);
  if (kernel !== undefined) return { operations: [instead(operation, kernel, { x })] };
  if (Math.abs(exponent) !== 1.5) return undefined;
  const root = step(operation, exponent < 0 ? 'Rsqrt' : 'Sqrt', { x }, x);
  return {
    operations: [root.operation, instead(operation, exponent < 0 ? 'RealDiv' : 'Multiply', { a: root.value, b: x })],
  };
}

const plainPowers: ReadonlyMap<number, string> = new Map([
  [2, 'Square'],
  [0.5, 'Sqrt'],
  [-0.5, 'Rsqrt'],
  [-1, 'Reciprocal'],
]);

export function arithmeticIdentity(operation: Operation, makerOf: MakerOf): Replacement | undefined {
  const { kernel, inputs } = operation;
  const { a, b, x } = inputs;
  if (kernel === 'Neg' && x !== undefined) {
    const original = negated(x, makerOf);
    return original && same(operation, original);
  }
  if (kernel === 'Select' || kernel === 'BroadcastingSelect') return oneBranch(operation, makerOf);
  if (a === undefined || b === undefined) return undefined;
  const operands = { a, b, constantA: known(a, makerOf), constantB: known(b, makerOf) };
  return rules[kernel]?.(operation, operands, makerOf);
}

const known = (value: Value, makerOf: MakerOf): number | undefined => uniformNumber(makerOf(value), makerOf);

/** Both branches are one value, or the condition is known. */
function oneBranch(operation: Operation, makerOf: MakerOf): Replacement | undefined {
  const { condition, t, e } = operation.inputs;
  if (condition === undefined || t === undefined || e === undefined) return undefined;
  if (t === e) return same(operation, t);
  const constant = known(condition, makerOf);
  return constant === undefined ? undefined : same(operation, constant === 0 ? e : t);
}
