/** Shapes and element types, as programs and state declare them. */
export type DataType = 'float32' | 'int32' | 'bool';

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** How many elements a shape holds; 1 for a scalar. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

export const bytesOf = ({ shape, dtype }: TensorSpec): number => sizeOf(shape) * (dtype === 'bool' ? 1 : 4);

export const describeSpec = ({ shape, dtype }: TensorSpec): string => `${dtype}[${shape.join(', ')}]`;
