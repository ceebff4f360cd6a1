/**
 * A program of its own: loads the addon from the package directory given as its argument, multiplies, and prints one line
 * of JSON (`ProbeReport`). A library that crashes takes only this process along.
 */
import { createRequire } from 'node:module';
import util from 'node:util';

const packageDirectory = process.argv[2] ?? '';

// Node 23 dropped two functions that the package still calls.
Object.assign(util, {
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  isArray: Array.isArray,
});

interface Tensor {
  dataSync(): ArrayLike<number>;
}

/** The few functions of the package that are called here; it is loaded by path, so its own types are not at hand. */
interface TensorflowPackage {
  ones(shape: readonly number[]): Tensor;
  matMul(left: Tensor, right: Tensor): Tensor;
  sum(tensor: Tensor): Tensor;
  backend(): { readonly isUsingGpuDevice: boolean; readonly binding: { readonly TF_Version: string } };
}

// oxlint-disable-next-line typescript/no-unsafe-assignment -- a native library, loaded from a path that only set-up knows
const tensorflow: TensorflowPackage = createRequire(import.meta.url)(packageDirectory);
const product = tensorflow.matMul(tensorflow.ones([4, 8]), tensorflow.ones([8, 4]));
const { binding, isUsingGpuDevice } = tensorflow.backend();
const report = {
  tensorflow: binding.TF_Version,
  gpu: isUsingGpuDevice,
  sum: tensorflow.sum(product).dataSync()[0] ?? Number.NaN,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
