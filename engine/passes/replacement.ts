/** How a pass says what becomes of an operation: nothing, other operations, or values that are there already. */
import type { Attributes, KernelInputs, Numbers, Operation, Program, Update, Value } from '../tracing/program.js';

/** The operation that computes a value, as rewritten so far; undefined for inputs and state. */
export type MakerOf = (value: Value) => Operation | undefined;

export type Replacement =
  /** Each result of the operation is a value that exists already, of the same shape and type. */
  | { readonly values: readonly Value[] }
  /** These run instead; together they compute the results of the operation. */
  | { readonly operations: readonly Operation[] };

export type Replace = (operation: Operation, makerOf: MakerOf) => Replacement | undefined;

/** Goes through the operations in order; each is seen with the inputs that earlier replacements gave it. */
export function replaceOperations(program: Program, replace: Replace): Program {
  const replaced = new Map<Value, Value>();
  const makers = new Map<Value, Operation>();
  const operations: Operation[] = [];
  const current = (value: Value): Value => replaced.get(value) ?? value;
  for (const recorded of program.operations) {
    const operation = withValues(recorded, current);
    const replacement = replace(operation, (value) => makers.get(value)) ?? { operations: [operation] };
    if ('values' in replacement) {
      operation.outputs.forEach((output, index) => replaced.set(output, replacement.values[index] ?? output));
      continue;
    }
    for (const made of replacement.operations) {
      operations.push(made);
      for (const output of made.outputs) makers.set(output, made);
    }
  }
  return withResults({ ...program, operations }, current);
}

/** The operation with other inputs. */
export function withValues(operation: Operation, current: (value: Value) => Value): Operation {
  const names = Object.entries(operation.inputs);
  if ([...names.map(([, value]) => value), ...(operation.after ?? [])].every((value) => current(value) === value))
    return operation;
  const inputs = Object.fromEntries(names.map(([name, value]) => [name, current(value)]));
  return { ...operation, inputs, ...(operation.after && { after: operation.after.map(current) }) };
}

/** The program with other outputs and updates. */
function withResults(program: Program, current: (value: Value) => Value): Program {
  const outputs = [...program.outputs].map(([name, value]): [string, Value] => [name, current(value)]);
  const updates = [...program.updates].map(([name, update]): [string, Update] => [
    name,
    update.kind === 'whole'
      ? { kind: 'whole', value: current(update.value) }
      : { kind: 'rows', indices: current(update.indices), values: current(update.values) },
  ]);
  return { ...program, outputs: new Map(outputs), updates: new Map(updates) };
}

/** Another kernel that computes the results of the operation. */
export function instead(
  operation: Operation,
  kernel: string,
  inputs: KernelInputs,
  attributes: Attributes = {},
): Operation {
  const { outputs, block } = operation;
  return { kernel, inputs, attributes, outputs, ...(block !== undefined && { block }) };
}

/** A further operation on the way to the results of `operation`, with one result of its own. */
export function step(
  operation: Operation,
  kernel: string,
  inputs: KernelInputs,
  spec: Value,
  attributes: Attributes = {},
): { readonly operation: Operation; readonly value: Value } {
  const value = { ...spec };
  return { operation: { ...instead(operation, kernel, inputs, attributes), outputs: [value] }, value };
}

/** A constant in the place of the operation's only result. */
export const constantInstead = (operation: Operation, numbers: Numbers): Operation => ({
  ...instead(operation, 'Constant', {}),
  constant: numbers,
});

export const sameShape = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((length, axis) => length === other[axis]);

/** The value itself where it has the shape and type of the operation's only result; else a reshape of it. */
export function asResult(operation: Operation, value: Value): Replacement | undefined {
  const [result] = operation.outputs;
  if (result === undefined || result.dtype !== value.dtype) return undefined;
  if (sameShape(result.shape, value.shape)) return { values: [value] };
  return { operations: [instead(operation, 'Reshape', { x: value }, { shape: result.shape })] };
}
