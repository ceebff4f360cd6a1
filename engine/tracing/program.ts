/**
 * A program: what one call of a traced function does, as a list of kernel calls in the order in which they were made. It is
 * data: passes rewrite it, runners run it. Every value is assigned once; operations come after the values they use.
 */
import type { tf } from '../tf.js';
import type { DataType } from './tensor-spec.js';

/** The result of an operation, an input or a state variable; compared by identity. */
export interface Value {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** The inputs of a kernel under tfjs's own names; a kernel of many inputs (Concat, Pack) names them '0', '1', … */
export type KernelInputs = Readonly<Record<string, Value>>;

export type Attribute = number | string | boolean | null | undefined | readonly Attribute[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** The attributes of a kernel call, as tfjs hands them over. */
export const attributesOf = (attrs: object | undefined): Attributes => ({ ...attrs });

/** tfjs types attributes as mutable; no kernel writes to them. */
export const attributesForTfjs = (attributes: Attributes): tf.NamedAttrMap => ({ ...attributes }) as tf.NamedAttrMap;

/** Numbers as they lie in memory: float32, int32, and bool as bytes. */
export type Numbers = Float32Array | Int32Array | Uint8Array;

export interface Operation {
  /** The name of a tfjs kernel, or of one of our composite kernels. */
  readonly kernel: string;
  readonly inputs: KernelInputs;
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
  /** The numbers of a `Constant`. */
  readonly constant?: Numbers;
  /** The marked block whose forward pass made this call. */
  readonly block?: string;
  /** Operations that must have run before this one, although it uses none of their values. */
  readonly after?: readonly Value[];
}

/** New content of a state variable: a value of its shape, or some of its rows. */
export type Update =
  | { readonly kind: 'whole'; readonly value: Value }
  | { readonly kind: 'rows'; readonly indices: Value; readonly values: Value };

export interface Program {
  readonly name: string;
  readonly inputs: ReadonlyMap<string, Value>;
  /** All state variables, as they are before the call. */
  readonly state: ReadonlyMap<string, Value>;
  readonly operations: readonly Operation[];
  readonly outputs: ReadonlyMap<string, Value>;
  /** All applied after every read. Where the call fails, a runner may have applied some. */
  readonly updates: ReadonlyMap<string, Update>;
}

/** The values that the program hands over or keeps. */
export function resultsOf(program: Program): Value[] {
  const updated = [...program.updates.values()].flatMap((update) =>
    update.kind === 'whole' ? [update.value] : [update.indices, update.values],
  );
  return [...program.outputs.values(), ...updated];
}

/** The state variables that the program reads and those that it updates; it leaves all others alone. */
export function touchedState(program: Program): ReadonlySet<string> {
  const used = new Set([...program.operations.flatMap(usesOf), ...resultsOf(program)]);
  const read = [...program.state].filter(([, value]) => used.has(value)).map(([name]) => name);
  return new Set([...read, ...program.updates.keys()]);
}

/** Everything an operation waits for. */
export const usesOf = (operation: Operation): readonly Value[] => [
  ...Object.values(operation.inputs),
  ...(operation.after ?? []),
];
