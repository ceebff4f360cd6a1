/** One plain function or more for every kernel of the table, with the inputs to run it on. */
import type { Numbers } from '../../../../engine/tracing/program.js';
import type { DataType, TensorSpec } from '../../../../engine/tracing/tensor-spec.js';
import type { tf } from '../../../../engine/tf.js';

export interface Input {
  readonly spec: TensorSpec;
  readonly numbers: Numbers;
}

export interface KernelCase {
  readonly kernel: string;
  readonly title: string;
  readonly inputs: readonly Input[];
  readonly run: (...inputs: tf.Tensor[]) => tf.Tensor | readonly tf.Tensor[];
  /** Whether the gradient by every float input is compared as well. Default: false. */
  readonly gradient?: boolean;
  /** Allowed difference relative to the greater of 1 and the value. Default: 1e-5. */
  readonly tolerance?: number;
}

export const input = (shape: readonly number[], dtype: DataType, numbers: Numbers): Input => ({
  spec: { shape, dtype },
  numbers,
});

export const integers = (...numbers: number[]): Input => input([numbers.length], 'int32', Int32Array.from(numbers));
