/**
 * What tfjs's wasm backend needs to train: its fast matrix product serves only single, untransposed matrices (others run a
 * plain loop, 20 times slower), and it has no segment sum, the gradient of an embedding.
 */
import { tensorOf } from '../kernels/composite.js';
import { tf } from '../tf.js';
import { attributesOf } from '../tracing/program.js';
import { flagOf } from '../tracing/shapes.js';
import { registerWasmComposites } from './wasm-composites.js';
import { correctWasm, replaceKernel } from './wasm-corrections.js';
import { replaceSlices } from './wasm-slices.js';

let repaired = false;

export function repairWasm(): void {
  if (repaired) return;
  repaired = true;
  correctWasm();
  replaceSlices();
  registerWasmComposites();
  replaceKernel('BatchMatMul', repairedProduct);
  tf.registerKernel({ kernelName: 'UnsortedSegmentSum', backendName: 'wasm', kernelFunc: segmentSum });
}

/** Transposes explicitly, and takes a batch matrix by matrix. */
const repairedProduct =
  (original: tf.KernelFunc): tf.KernelFunc =>
  (call) => {
    const { a, b } = call.inputs;
    if (a === undefined || b === undefined) throw new TypeError('expected two matrices');
    const attributes = attributesOf(call.attrs);
    const [left, right] = [tensorOf(a), tensorOf(b)];
    const plain = (one: tf.Tensor, other: tf.Tensor): tf.Tensor => {
      const attrs = { transposeA: false, transposeB: false };
      const [info = one] = [original({ inputs: { a: one, b: other }, attrs, backend: call.backend })].flat();
      return tensorOf(info);
    };
    return tf.tidy(() =>
      multiply(
        flagOf(attributes, 'transposeA') ? swapped(left) : left,
        flagOf(attributes, 'transposeB') ? swapped(right) : right,
        plain,
      ),
    );
  };

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

function segmentSum({ inputs, attrs }: { inputs: tf.NamedTensorInfoMap; attrs?: object }): tf.TensorInfo {
  const { x, segmentIds } = inputs;
  if (x === undefined || segmentIds === undefined) throw new TypeError('expected values and segments');
  const { numSegments } = { numSegments: 0, ...attrs };
  const [values, segments] = [tensorOf(x).dataSync(), tensorOf(segmentIds).dataSync()];
  const width = values.length / Math.max(1, segments.length);
  const sums = new Float32Array(numSegments * width);
  segments.forEach((segment, row) => {
    if (segment < 0 || segment >= numSegments) return;
    for (let column = 0; column < width; column++) {
      const at = segment * width + column;
      sums[at] = (sums[at] ?? 0) + (values[row * width + column] ?? 0);
    }
  });
  return tf.tensor(sums, [numSegments, ...x.shape.slice(segmentIds.shape.length)]);
}
