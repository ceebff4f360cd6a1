/** A case: a plain function that calls one kernel of the table, with the inputs to run it on. */
import type { tf } from '../../../../engine/tf.js';
import { describeSpec, type DataType } from '../../../../engine/tracing/tensor-spec.js';
import { Draw, type Input } from './draw.js';

/** What is drawn when a case is made: the function itself draws nothing, it runs more than once. */
export interface Call {
  readonly inputs: readonly Input[];
  readonly run: (...inputs: tf.Tensor[]) => tf.Tensor | readonly tf.Tensor[];
  /** Whether the gradient by every float input is compared as well. Default: false. */
  readonly gradient?: boolean;
  /** Allowed difference relative to the greater of 1 and the value. Default: 1e-5. */
  readonly tolerance?: number;
}

export interface KernelCase extends Call {
  readonly kernel: string;
  readonly title: string;
}

/** `KERNEL_SEED=7 npx jest …` draws other cases. */
export const seed = Number(process.env['KERNEL_SEED'] ?? 1);

/**
 * Some calls of a kernel, each drawn anew; the last one of axes that may have no length. tfjs has no gradients of tensors without elements.
 * @param what tells apart the ways to call one kernel
 */
export const drawn = (kernel: string, what: string, make: (draw: Draw) => Call, draws = 3): KernelCase[] =>
  Array.from({ length: draws + 1 }, (_, index) => {
    const call = make(new Draw(seed, `${kernel} ${what} ${index}`, index < draws ? 1 : 0));
    const inputs = call.inputs.map(({ spec }) => describeSpec(spec)).join(' and ');
    const empty = call.inputs.some(({ numbers }) => numbers.length === 0);
    const title = `${kernel} ${what}, draw ${index}, of ${inputs}`;
    return { kernel, title, ...call, gradient: call.gradient === true && !empty };
  });

export const allTypes = ['float32', 'int32', 'bool'] as const;

/** Calls with each of some element types, their gradients compared where they are floats. */
export const ofTypes = (
  dtypes: readonly DataType[],
  kernel: string,
  what: string,
  make: (draw: Draw, dtype: DataType) => Call,
): KernelCase[] =>
  dtypes.flatMap((dtype) => {
    const float = dtype === 'float32';
    const call = (draw: Draw): Call => ({ gradient: float, ...make(draw, dtype) });
    return drawn(kernel, `${what}, ${dtype}`, call, float ? 3 : 2);
  });
