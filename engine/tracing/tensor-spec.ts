/** Shapes and element types, as programs and state declare them. */
import { NightstillError } from '../../config/errors.js';

export type DataType = 'float32' | 'int32' | 'bool';

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** How many elements a shape holds; 1 for a scalar. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

export const bytesOf = ({ shape, dtype }: TensorSpec): number => sizeOf(shape) * (dtype === 'bool' ? 1 : 4);

export const describeSpec = ({ shape, dtype }: TensorSpec): string => `${dtype}[${shape.join(', ')}]`;

/** @throws program-invalid for lengths that are no whole numbers, or negative */
export function checkSpec(what: string, spec: TensorSpec): void {
  if (spec.shape.every((length) => Number.isInteger(length) && length >= 0)) return;
  throw new NightstillError('program-invalid', `expected ${what} of a fixed shape, found ${describeSpec(spec)}`);
}
