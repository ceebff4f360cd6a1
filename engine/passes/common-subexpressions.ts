/** What is computed twice from the same values is computed once; constants are equal by content. Exact. */
import { Buffer } from 'node:buffer';
import type { Operation, Program, Value } from '../tracing/program.js';
import { replaceOperations } from './replacement.js';

/** Kernels whose two inputs may change places: the result is the same number. */
const commutative: ReadonlySet<string> = new Set(
  'Add Equal LogicalAnd LogicalOr Maximum Minimum Multiply NotEqual SquaredDifference'.split(' '),
);

export function commonSubexpressions(program: Program): Program {
  const numbers = new Map<Value, number>();
  const known = new Map<string, readonly Value[]>();
  const numberOf = (value: Value): number => {
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  };
  return replaceOperations(program, (operation) => {
    const key = keyOf(operation, numberOf);
    const values = known.get(key);
    if (values !== undefined) return { values };
    known.set(key, operation.outputs);
    return undefined;
  });
}

function keyOf(
  { kernel, inputs, attributes, outputs, constant, after = [] }: Operation,
  numberOf: (value: Value) => number,
): string {
  const specs = outputs.map(({ shape, dtype }) => [dtype, ...shape]);
  const named = Object.entries(inputs).map(([name, value]): [string, number] => [name, numberOf(value)]);
  const given = commutative.has(kernel) ? named.map(([, number]) => number).sort((a, b) => a - b) : named.sort(byName);
  const content =
    constant === undefined
      ? ''
      : Buffer.from(constant.buffer, constant.byteOffset, constant.byteLength).toString('base64');
  return JSON.stringify([kernel, given, attributesKey(attributes), specs, after.map(numberOf), content]);
}

/** Numbers that JSON does not tell apart (-0 and 0, NaN and null) by name. */
const attributesKey = (attributes: Operation['attributes']): unknown =>
  Object.entries(attributes)
    .sort(byName)
    .map(([name, value]) => [
      name,
      typeof value === 'number' ? (Object.is(value, -0) ? '-0' : `${value}`) : (value ?? 'none'),
    ]);

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : 1;
