/** Numbers that enter a program: of the declared element type and size, or refused. */
import { NightstillError } from '../../config/errors.js';
import type { Numbers } from '../tracing/program.js';
import { describeSpec, sizeOf, type TensorSpec } from '../tracing/tensor-spec.js';
import type { TensorSpecs } from '../tracing/trace.js';

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** @throws program-invalid when the numbers are not of that element type and size */
export function checkNumbers(what: string, spec: TensorSpec, values: Numbers | undefined): Numbers {
  if (values instanceof arrays[spec.dtype] && values.length === sizeOf(spec.shape)) return values;
  const found = values === undefined ? 'nothing' : `${values.constructor.name} of ${values.length}`;
  throw new NightstillError('program-invalid', `expected ${what} as ${describeSpec(spec)}, found ${found}`);
}

/** @throws program-invalid when the state has no such variable */
export function knownVariable(state: TensorSpecs, name: string): TensorSpec {
  const spec = state[name];
  if (spec !== undefined) return spec;
  throw new NightstillError('program-invalid', `expected a variable of the state, found "${name}"`);
}
