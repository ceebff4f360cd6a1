/** Which gradients tfjs has registered, and whether they are what a computation really goes through. */
import { kernelTable } from '../../../../engine/kernel-table.js';
import { tf } from '../../../../engine/tf.js';

/** Kernels of the table that tfjs differentiates. */
export const differentiable: readonly string[] = Object.keys(kernelTable).filter(
  (kernel) => tf.getGradient(kernel) !== undefined,
);

/** The kernels whose registered gradients run while `work` does. */
export function gradientsAskedFor(work: () => void): ReadonlySet<string> {
  const asked = new Set<string>();
  const before = differentiable.map((kernel) => tf.getGradient(kernel));
  for (const registered of before) {
    const gradFunc: typeof registered.gradFunc = (...call) => {
      asked.add(registered.kernelName);
      return registered.gradFunc(...call);
    };
    tf.registerGradient({ ...registered, gradFunc });
  }
  try {
    work();
  } finally {
    before.forEach((registered) => tf.registerGradient(registered));
  }
  return asked;
}
