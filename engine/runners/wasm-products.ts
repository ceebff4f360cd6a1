/**
 * Products of matrices on tfjs's wasm backend. XNNPACK computes single ones that are not transposed, and for that packs the second matrix:
 * it copies it in another order, which it keeps by the data of that tensor while they live.
 */
import { tensorOf } from '../kernels/composite.js';
import { tf } from '../tf.js';
import { attributesOf } from '../tracing/program.js';
import { flagOf } from '../tracing/shapes.js';
import { isWasmMemory } from './wasm-backend.js';
import { checkOutput } from './wasm-memory.js';

/** Transposes explicitly, and takes a batch matrix by matrix. */
export const repairedProduct =
  (original: tf.KernelFunc): tf.KernelFunc =>
  (call) => {
    const { a, b } = call.inputs;
    if (a === undefined || b === undefined) throw new TypeError('expected two matrices');
    const attributes = attributesOf(call.attrs);
    const [left, right] = [tensorOf(a), tensorOf(b)];
    const plain = (one: tf.Tensor, other: tf.Tensor): tf.Tensor =>
      packing(other, call.backend, (second) => {
        const attrs = { transposeA: false, transposeB: false };
        const [info = one] = [original({ inputs: { a: one, b: second }, attrs, backend: call.backend })].flat();
        return tensorOf(info);
      });
    return tf.tidy(() =>
      multiply(
        flagOf(attributes, 'transposeA') ? swapped(left) : left,
        flagOf(attributes, 'transposeB') ? swapped(right) : right,
        plain,
      ),
    );
  };

/** The columns as which the data of a tensor are packed. */
const packed = new WeakMap<object, number>();

/** @throws out-of-memory: XNNPACK itself would free what it never had, and the kernel return what nobody computed */
function packing(matrix: tf.Tensor, backend: object, multiplyBy: (matrix: tf.Tensor) => tf.Tensor): tf.Tensor {
  const [inner = 1, columns = 1] = matrix.shape.slice(-2);
  const before = packed.get(matrix.dataId);
  if (before === columns) return multiplyBy(matrix);
  // XNNPACK would take what it packed for another shape.
  const own = before === undefined ? matrix : tf.slice(matrix, [0, 0, 0], matrix.shape);
  if (isWasmMemory(backend)) backend.wasm._free(backend.wasm._malloc(packedBytes(inner, columns)));
  const product = multiplyBy(own);
  checkOutput(); // packed is only what found its room
  packed.set(own.dataId, columns);
  return product;
}

/** At least: 8 columns side by side, 4 rows of them at once, a bias for each column, and what belongs to an operator. */
const packedBytes = (inner: number, columns: number): number =>
  Math.ceil(columns / 8) * 8 * (Math.ceil(inner / 4) * 4 + 2) * 4 + 2 ** 16;

type Product = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

function multiply(a: tf.Tensor, b: tf.Tensor, plain: Product): tf.Tensor {
  const leading = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const batch = leading.reduce((product, length) => product * length, 1);
  const [rows, inner, columns] = [a.shape.at(-2) ?? 1, a.shape.at(-1) ?? 1, b.shape.at(-1) ?? 1];
  const matrix = (tensor: tf.Tensor, shape: [number, number]): tf.Tensor3D[] =>
    tf
      .split(tf.reshape(tf.broadcastTo(tensor, [...leading, ...shape]), [batch, ...shape]), batch)
      .map((part) => part.as3D(1, ...shape));
  if (batch === 1)
    return tf.reshape(plain(tf.reshape(a, [1, rows, inner]), tf.reshape(b, [1, inner, columns])), [
      ...leading,
      rows,
      columns,
    ]);
  const [left, right] = [matrix(a, [rows, inner]), matrix(b, [inner, columns])];
  const products = left.map((one, index) => plain(one, right[index] ?? one));
  return tf.reshape(tf.concat(products, 0), [...leading, rows, columns]);
}

const swapped = (tensor: tf.Tensor): tf.Tensor => {
  const axes = [...tensor.shape.keys()];
  return tf.transpose(tensor, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
};
