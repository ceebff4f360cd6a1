/**
 * What tfjs's wasm backend needs to train: its fast matrix product serves only single, untransposed matrices (others run a
 * plain loop, 20 times slower), and it has no segment sum, the gradient of an embedding.
 */
import { tensorOf } from '../kernels/composite.js';
import { tf } from '../tf.js';
import { registerWasmComposites } from './wasm-composites.js';
import { isWasmMemory } from './wasm-backend.js';
import { correctWasm, replaceKernel } from './wasm-corrections.js';
import { checkAllocations } from './wasm-memory.js';
import { repairedProduct } from './wasm-products.js';
import { replaceSlices } from './wasm-slices.js';

let repaired = false;

export function repairWasm(): void {
  if (repaired) return;
  repaired = true;
  const backend = tf.backend();
  if (!isWasmMemory(backend)) throw new TypeError('expected the wasm backend');
  checkAllocations(backend);
  correctWasm();
  replaceSlices();
  registerWasmComposites();
  replaceKernel('BatchMatMul', repairedProduct);
  tf.registerKernel({ kernelName: 'UnsortedSegmentSum', backendName: 'wasm', kernelFunc: segmentSum });
}

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
