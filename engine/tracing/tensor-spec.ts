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

const dataTypes: readonly string[] = ['float32', 'int32', 'bool'] satisfies readonly DataType[];

/**
 * The types say most of it already; a caller in JavaScript may hand over anything.
 * @throws program-invalid for lengths that are no whole numbers, or negative, and for another element type
 */
export function checkSpec(what: string, spec: TensorSpec): void {
  const { shape, dtype }: { readonly shape?: unknown; readonly dtype?: unknown } = { ...spec };
  const refuse = (expected: string): NightstillError => {
    const found = Array.isArray(shape) ? `${String(dtype)}[${shape.join(', ')}]` : JSON.stringify(spec);
    return new NightstillError('program-invalid', `expected ${what} ${expected}, found ${found}`);
  };
  if (!Array.isArray(shape) || !shape.every((length) => Number.isInteger(length) && length >= 0))
    throw refuse('of a fixed shape');
  if (!dataTypes.includes(String(dtype))) throw refuse(`of ${dataTypes.join(', ')}`);
}
