/** Numbers that enter a program: of the declared element type and size, or refused. */
import { NightstillError } from '../../config/errors.js';
import type { Numbers, Program } from '../tracing/program.js';
import { describeSpec, sizeOf, type TensorSpec } from '../tracing/tensor-spec.js';
import type { TensorSpecs } from '../tracing/trace.js';
import type { NamedNumbers } from './runner.js';

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** @throws program-invalid when the numbers are not of that element type and size */
export function checkNumbers(what: string, spec: TensorSpec, values: Numbers | undefined): Numbers {
  if (values instanceof arrays[spec.dtype] && values.length === sizeOf(spec.shape)) return values;
  const found = values === undefined ? 'nothing' : `${values.constructor.name}(${values.length})`;
  throw new NightstillError('program-invalid', `expected ${what} as ${describeSpec(spec)}, found ${found}`);
}

/** Every input of a program, in its order. @throws program-invalid for what is missing, unfit or unknown */
export function checkInputs({ name, inputs }: Program, given: NamedNumbers): readonly Numbers[] {
  for (const input of Object.keys(given)) {
    if (inputs.has(input)) continue;
    const known = [...inputs.keys()].join(', ') || 'none';
    throw new NightstillError('program-invalid', `expected inputs of program "${name}": ${known}; found "${input}"`);
  }
  return [...inputs].map(([input, spec]) => checkNumbers(`input "${input}" of program "${name}"`, spec, given[input]));
}

/** Elements of one row. @throws program-invalid when rows `begin` to `begin + count` are not all in the variable */
export function checkRows(name: string, { shape }: TensorSpec, begin: number, count: number): number {
  const [length = 0, ...rest] = shape;
  const whole = Number.isInteger(begin) && Number.isInteger(count);
  if (shape.length > 0 && whole && begin >= 0 && count >= 0 && begin + count <= length) return sizeOf(rest);
  throw new NightstillError(
    'program-invalid',
    `expected rows within the ${length} of variable "${name}", found ${count} from ${begin} on`,
  );
}

/** @throws program-invalid when no program has that name */
export function knownProgram<Known>(programs: ReadonlyMap<string, Known>, name: string): Known {
  const program = programs.get(name);
  if (program !== undefined) return program;
  throw new NightstillError(
    'program-invalid',
    `expected a program of the session (${[...programs.keys()].join(', ')}), found "${name}"`,
  );
}

/** @throws program-invalid when the state has no such variable */
export function knownVariable(state: TensorSpecs, name: string): TensorSpec {
  const spec = Object.hasOwn(state, name) ? state[name] : undefined;
  if (spec !== undefined) return spec;
  throw new NightstillError('program-invalid', `expected a variable of the state, found "${name}"`);
}
