/** Runs a plain function once on the tracing backend and hands back the program that it is. */
import { NightstillError } from '../../config/errors.js';
import { tf } from '../tf.js';
import { Recording } from './current.js';
import type { Program, Update, Value } from './program.js';
import { tensorOf, valueOf, whileRecording } from './recorder.js';
import { isRowUpdate, type RowUpdate } from './row-update.js';
import { describeSpec, type TensorSpec } from './tensor-spec.js';
import type { Tensors } from './tensors.js';

export type TensorSpecs = Readonly<Record<string, TensorSpec>>;

export interface ProgramResult {
  /** What the caller reads after the call. */
  readonly outputs: Tensors;
  /** New values of state variables, all applied together after every read. */
  readonly updates?: Readonly<Record<string, tf.Tensor | RowUpdate>>;
}

/**
 * A function of tensors alone: it may not read a value, and what it captures becomes constant. So do random numbers of a seed;
 * those without one are refused, since every call would have the same: they are inputs.
 */
export type ProgramFunction = (state: Tensors, inputs: Tensors) => ProgramResult;

/**
 * @param state, inputs must have passed `checkSpec`
 * @throws trace-reads-value, kernel-unsupported with the line of the function; program-invalid where an update does not
 * fit its variable.
 */
export function trace(name: string, state: TensorSpecs, inputs: TensorSpecs, run: ProgramFunction): Program {
  const recording = new Recording();
  return whileRecording(recording, () => {
    const [stateValues, inputValues] = [valuesOf(state), valuesOf(inputs)];
    const { outputs, updates = {} } = checkResult(name, run(tensorsOf(stateValues), tensorsOf(inputValues)));
    const updated = new Map<string, Update>();
    for (const [variable, update] of Object.entries(updates)) {
      updated.set(variable, updateOf(name, variable, state[variable], update));
    }
    return {
      name,
      inputs: inputValues,
      state: stateValues,
      operations: recording.operations,
      outputs: new Map(Object.entries(outputs).map(([output, tensor]) => [output, valueOf(tensor)])),
      updates: updated,
    };
  });
}

/** The types say so already; a function in JavaScript, or one that awaits, may hand back anything. */
function checkResult(program: string, result: ProgramResult): ProgramResult {
  const refuse = (found: string): NightstillError =>
    new NightstillError('program-invalid', `expected program "${program}" to return tensors by name, found ${found}`);
  const returned: Partial<ProgramResult> | undefined | null = result;
  if (returned instanceof Promise) throw refuse('a promise: a traced function is synchronous');
  if (returned?.outputs === undefined) throw refuse('no outputs');
  const named: readonly [string, unknown][] = [
    ...Object.entries(returned.outputs),
    ...Object.entries(returned.updates ?? {}).flatMap(([name, update]): [string, unknown][] =>
      isRowUpdate(update)
        ? [
            [name, update.indices],
            [name, update.values],
          ]
        : [[name, update]],
    ),
  ];
  for (const [name, tensor] of named) {
    if (!(tensor instanceof tf.Tensor)) throw refuse(`"${name}" that is no tensor`);
    if (tensor.isDisposed) throw refuse(`"${name}" that was disposed`);
  }
  return result;
}

const valuesOf = (specs: TensorSpecs): Map<string, Value> =>
  new Map(Object.entries(specs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]));

const tensorsOf = (values: ReadonlyMap<string, Value>): Tensors =>
  Object.fromEntries([...values].map(([name, value]) => [name, tensorOf(value)]));

function updateOf(
  program: string,
  variable: string,
  spec: TensorSpec | undefined,
  update: tf.Tensor | RowUpdate,
): Update {
  const refuse = (found: string): NightstillError =>
    new NightstillError('program-invalid', `expected program "${program}" to update "${variable}" as ${found}`);
  if (spec === undefined) throw refuse('a variable of the state, found that the state has none of that name');
  if (isRowUpdate(update)) {
    const [indices, values] = [valueOf(update.indices), valueOf(update.values)];
    if (spec.shape.length === 0) throw refuse('a whole: a scalar has no rows');
    if (indices.dtype !== 'int32' || indices.shape.length !== 1)
      throw refuse(`rows named by int32[R], found ${describeSpec(indices)}`);
    const expected = { shape: [indices.shape[0] ?? 0, ...spec.shape.slice(1)], dtype: spec.dtype };
    if (!equal(values, expected)) throw refuse(`rows of ${describeSpec(expected)}, found ${describeSpec(values)}`);
    return { kind: 'rows', indices, values };
  }
  const value = valueOf(update);
  if (!equal(value, spec)) throw refuse(`${describeSpec(spec)}, found ${describeSpec(value)}`);
  return { kind: 'whole', value };
}

const equal = (one: TensorSpec, other: TensorSpec): boolean =>
  one.dtype === other.dtype &&
  one.shape.length === other.shape.length &&
  one.shape.every((length, axis) => length === other.shape[axis]);
