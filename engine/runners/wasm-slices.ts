/**
 * Slices on tfjs's wasm backend. Its own kernels first copy the whole tensor out of wasm's memory, for every slice of a split
 * anew: a third of a training step. These copy what is asked for, run by run.
 */
import { tf } from '../tf.js';
import { attributesOf } from '../tracing/program.js';
import { axisOf, sliceOf, splitSizes } from '../tracing/shapes.js';
import { sizeOf } from '../tracing/tensor-spec.js';
import { isWasmMemory, type WasmMemory } from './wasm-backend.js';
import { replaceKernel } from './wasm-corrections.js';

export function replaceSlices(): void {
  replaceKernel('Slice', (original) => (call) => {
    const { x } = call.inputs;
    if (x === undefined || !isCopied(x) || !isWasmMemory(call.backend)) return original(call);
    const { begin, size } = sliceOf(x, attributesOf(call.attrs));
    return copyOf(call.backend, x, begin, size);
  });
  replaceKernel('SplitV', (original) => (call) => {
    const { x } = call.inputs;
    const { backend } = call;
    if (x === undefined || !isCopied(x) || !isWasmMemory(backend)) return original(call);
    const attributes = attributesOf(call.attrs);
    const axis = axisOf(attributes, x.shape.length);
    let done = 0;
    return splitSizes(x, attributes, axis).map((length) => {
      const begin = x.shape.map((_, index) => (index === axis ? done : 0));
      done += length;
      return copyOf(
        backend,
        x,
        begin,
        x.shape.map((whole, index) => (index === axis ? length : whole)),
      );
    });
  });
}

type Copied = tf.TensorInfo & { readonly dtype: 'float32' | 'int32' | 'bool' };

const isCopied = (x: tf.TensorInfo): x is Copied => x.dtype === 'float32' || x.dtype === 'int32' || x.dtype === 'bool';

/** One tensor of a batch of matrices, and any other slice, as a tensor of its own. */
function copyOf(backend: WasmMemory, x: Copied, begin: readonly number[], size: readonly number[]): tf.TensorInfo {
  const out = backend.makeOutput([...size], x.dtype);
  // Views are made after the memory for the result: it may have moved.
  const [from, to] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(out)];
  const { outer, run } = runOf(x.shape, size);
  const strides = tf.util.computeStrides(x.shape).concat(1);
  const place = Array.from({ length: outer }, () => 0);
  for (let written = 0; written < to.length; written += run) {
    let offset = 0;
    for (let axis = 0; axis < x.shape.length; axis++)
      offset += ((begin[axis] ?? 0) + (place[axis] ?? 0)) * (strides[axis] ?? 1);
    to.set(from.subarray(offset, offset + run), written);
    advance(place, size);
  }
  return out;
}

/** How many elements lie one after another in both tensors, and how many axes are left to walk. */
function runOf(shape: readonly number[], size: readonly number[]): { outer: number; run: number } {
  let outer = shape.length;
  while (outer > 0 && size[outer - 1] === shape[outer - 1]) outer--;
  const walked = Math.max(0, outer - 1);
  return { outer: walked, run: Math.max(1, sizeOf(size.slice(walked))) };
}

/** The next place, as an odometer counts. */
function advance(place: number[], size: readonly number[]): void {
  for (let axis = place.length - 1; axis >= 0; axis--) {
    const next = (place[axis] ?? 0) + 1;
    place[axis] = next % (size[axis] ?? 1);
    if (next < (size[axis] ?? 1)) return;
  }
}
