/** Kernels of tfjs's wasm backend that compute something else than tfjs on other backends, for some types or sizes. */
import { tensorOf } from '../kernels/composite.js';
import { tf } from '../tf.js';
import { attributesForTfjs, attributesOf, type Attributes } from '../tracing/program.js';
import { axisOf, numberOf } from '../tracing/shapes.js';

type Kernel = (x: tf.Tensor, attributes: Attributes) => tf.Tensor;

/** Puts another implementation in the place of a kernel, which it may call. */
export function replaceKernel(
  kernelName: string,
  make: (original: tf.KernelFunc) => tf.KernelFunc,
  backendName = 'wasm',
): void {
  const { kernelFunc } = tf.getKernel(kernelName, backendName);
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({ kernelName, backendName, kernelFunc: make(kernelFunc) });
}

/** For inputs that `wrong` picks, `right` runs instead of the backend's own kernel. */
const correct = (name: string, wrong: (x: tf.Tensor, attributes: Attributes) => boolean, right: Kernel): void =>
  replaceKernel(name, (original) => (call) => {
    const [info] = Object.values(call.inputs);
    if (info === undefined) return original(call);
    const [x, attributes] = [tensorOf(info), attributesOf(call.attrs)];
    return wrong(x, attributes) ? tf.tidy(() => right(x, attributes)) : original(call);
  });

export function correctWasm(): void {
  // wasm cuts each number to a byte: 256 would become false.
  correct(
    'Cast',
    (x, { dtype }) => dtype === 'bool' && x.dtype !== 'bool',
    (x) => tf.notEqual(x, tf.zerosLike(x)),
  );
  // wasm reads integers as if they were floats.
  correct(
    'ClipByValue',
    (x) => x.dtype === 'int32',
    (x, attributes) => {
      const [low, high] = ['clipValueMin', 'clipValueMax'].map((name) => numberOf(attributes, name));
      return tf.minimum(tf.maximum(x, tf.scalar(low ?? 0, 'int32')), tf.scalar(high ?? 0, 'int32'));
    },
  );
  // wasm reads and writes the bytes of bools as floats, beyond the end of the tensors.
  replaceKernel('Select', (original) => (call) => {
    const { condition, t, e } = call.inputs;
    if (condition === undefined || t === undefined || e === undefined || t.dtype !== 'bool') return original(call);
    const wide = (branch: tf.TensorInfo): tf.Tensor => tf.cast(tensorOf(branch), 'int32');
    return tf.tidy(() => tf.cast(tf.where(tensorOf(condition), wide(t), wide(e)), 'bool'));
  });
  replaceKernel('FloorDiv', (original) => (call) => {
    const quotient = [original(call)].flat()[0];
    if (quotient === undefined || quotient.dtype === 'int32') return quotient ?? [];
    const wide = tensorOf(quotient);
    const whole = tf.cast(wide, 'int32');
    wide.dispose();
    return whole;
  });
  replaceKernel('GatherV2', (original) => (call) => {
    const { x, indices } = call.inputs;
    const attributes = attributesOf(call.attrs);
    const batchAxes = numberOf(attributes, 'batchDims', 0);
    if (x === undefined || indices === undefined || batchAxes === 0) return original(call);
    return tf.tidy(() => gatherBatches(tensorOf(x), tensorOf(indices), axisOf(attributes, x.shape.length), batchAxes));
  });
}

/** Batch by batch: its own kernel repeats the first one's choice. */
function gatherBatches(x: tf.Tensor, indices: tf.Tensor, axis: number, batchAxes: number): tf.Tensor {
  if (batchAxes === 0)
    return tf.engine().runKernel('GatherV2', { x, indices }, attributesForTfjs({ axis, batchDims: 0 }));
  const parts = tf.unstack(indices);
  return tf.stack(tf.unstack(x).map((part, row) => gatherBatches(part, parts[row] ?? part, axis - 1, batchAxes - 1)));
}
