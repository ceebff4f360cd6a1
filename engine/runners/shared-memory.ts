/**
 * Which updates would hand a variable memory that another variable, or the caller, has as well. TensorFlow passes memory on without copying
 * it: a variable that is set to the value of another shares its memory, and would change with it where rows are written in
 * place.
 */
import type { Operation, Program, Value } from '../tracing/program.js';

/** Kernels whose result may be the memory of an operand, by the operand. */
const movers: Readonly<Record<string, string>> = {
  After: 'x',
  Cast: 'x',
  Concat: '0',
  ExpandDims: 'input',
  PadV2: 'x',
  Reshape: 'x',
  Slice: 'x',
  SplitV: 'x',
  Tile: 'x',
  Transpose: 'x',
  Unpack: 'value',
};

/** Names of the variables whose new value needs memory of its own. */
export function updatesToCopy(program: Program): ReadonlySet<string> {
  const variables = new Map([...program.state].map(([name, value]) => [value, name]));
  return new Set(
    [...takersOf(program)].flatMap(([origin, names]) => {
      const owner = variables.get(origin);
      return owner === undefined ? names.slice(1) : names.filter((name) => name !== owner);
    }),
  );
}

/** Names of the inputs that become the value of a variable: it would have the memory of the array that is fed. */
export function inputsToCopy(program: Program): ReadonlySet<string> {
  const takers = takersOf(program);
  return new Set([...program.inputs].flatMap(([name, value]) => (takers.has(value) ? [name] : [])));
}

/** The variables that take their new value from each value's memory. */
function takersOf(program: Program): Map<Value, string[]> {
  const makers = new Map<Value, Operation>();
  for (const operation of program.operations) for (const output of operation.outputs) makers.set(output, operation);
  const takers = new Map<Value, string[]>();
  for (const [name, update] of program.updates) {
    if (update.kind === 'rows') continue;
    const origin = originOf(update.value, makers);
    takers.set(origin, [...(takers.get(origin) ?? []), name]);
  }
  return takers;
}

/** The value whose memory this one may be. */
function originOf(value: Value, makers: ReadonlyMap<Value, Operation>): Value {
  const maker = makers.get(value);
  if (maker === undefined) return value;
  const { kernel, inputs, attributes, outputs } = maker;
  const operand =
    kernel === 'Barrier'
      ? inputs[`${outputs.indexOf(value)}`]
      : kernel === 'ReplaceRows' && attributes['inPlace'] === true
        ? inputs['x']
        : inputs[movers[kernel] ?? ''];
  return operand === undefined ? value : originOf(operand, makers);
}
