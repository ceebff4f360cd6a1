/**
 * A tensor with some of its rows replaced, as one operation of a program: a cache gains rows without being copied. Where a
 * pass has found that nothing looks at the old content any more, TensorFlow writes into the memory of the variable itself.
 */
import { typed } from '../runners/graph.js';
import { flagOf, input } from '../tracing/shapes.js';
import { tf } from '../tf.js';
import { runComposite, type Composite } from './composite.js';
import { index32, type KernelDefinition } from './definition.js';

export const replaceRowsKernel: Composite & KernelDefinition = {
  list: true,
  name: 'ReplaceRows',
  eager: ({ x, indices, values }, attributes) => {
    if (x === undefined || indices === undefined || values === undefined) throw new TypeError('expected three tensors');
    const memory = flagOf(attributes, 'inPlace') ? memoryOf(x) : undefined;
    if (memory !== undefined) {
      overwrite(memory, indices.dataSync(), values.dataSync());
      return [x.clone()];
    }
    // tfjs's cpu kernel writes into its operand: here it gets one of its own.
    const own = tf.getBackend() === 'cpu' ? tf.mul(x, tf.scalar(1, x.dtype)) : x;
    return [tf.tensorScatterUpdate(own, tf.expandDims(indices, 1), values)];
  },
  infer: (inputs) => [input(inputs, 'x')],
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const T = typed(input(inputs, 'x').dtype);
    if (flagOf(attributes, 'inPlace'))
      return [graph.output('InplaceUpdate', [of('x'), of('indices'), of('values')], { T })];
    const [rows = 0] = input(inputs, 'indices').shape;
    const column = graph.output('Reshape', [of('indices'), graph.integers(rows, 1)], {
      T: index32,
      Tshape: index32,
    });
    return [graph.output('TensorScatterUpdate', [of('x'), column, of('values')], { T, Tindices: index32 })];
  },
};

type Memory = Float32Array | Int32Array;

interface WasmBackend {
  typedArrayFromHeap(tensor: tf.Tensor): Memory;
}

const isWasm = (backend: object): backend is WasmBackend => 'typedArrayFromHeap' in backend;

/** The memory of a tensor on the wasm backend, not a copy of it. */
function memoryOf(x: tf.Tensor): Memory | undefined {
  const backend: object = tf.backend();
  return isWasm(backend) ? backend.typedArrayFromHeap(x) : undefined;
}

function overwrite(memory: Memory, indices: ArrayLike<number>, values: Memory | Uint8Array): void {
  const width = values.length / Math.max(1, indices.length);
  for (let row = 0; row < indices.length; row += 1)
    memory.set(values.subarray(row * width, (row + 1) * width), (indices[row] ?? 0) * width);
}

/**
 * `x` but for the rows `indices`, which become `values`. No gradient.
 * @param indices int32 [R], each a row of x; where one comes twice, its values are the same
 * @param values [R, …], of the type of x
 */
export function replaceRows<T extends tf.Tensor>(x: T, indices: tf.Tensor1D, values: tf.Tensor): T {
  const [result] = runComposite(replaceRowsKernel, { x, indices, values });
  return result as T;
}
