/**
 * Kernels of tfjs on tensors without elements, whose results have some: as TensorFlow has them. tfjs's wasm backend returns memory that
 * it has not written, its cpu backend reads beyond the end.
 */
import { tensorOf } from '../kernels/composite.js';
import { tf } from '../tf.js';
import { attributesOf, type Attributes } from '../tracing/program.js';
import { axesOf, flagOf, numberOf, productShape, reduced } from '../tracing/shapes.js';
import { sizeOf } from '../tracing/tensor-spec.js';
import type { KernelsBackend } from './kernels-backend.js';
import { replaceKernel } from './wasm-corrections.js';

/** What a reduction of nothing gives: a value that adds nothing to any other. */
const neutral = {
  Sum: 0,
  Mean: Number.NaN,
  Prod: 1,
  Max: -Infinity,
  Min: Infinity,
  All: 1,
  Any: 0,
};

const [leastInteger, greatestInteger] = [-(2 ** 31), 2 ** 31 - 1];

type Inputs = readonly tf.Tensor[];
/** The result for these inputs if one of them has no elements. */
type Result = (inputs: Inputs, attributes: Attributes) => tf.Tensor;

const corrected = new Set<KernelsBackend>();

export function correctEmpty(backend: KernelsBackend): void {
  if (corrected.has(backend)) return;
  corrected.add(backend);
  const correct = (name: string, names: readonly string[], result: Result): void =>
    replaceKernel(
      name,
      (original) => (call) => {
        const inputs = names.flatMap((input) => call.inputs[input] ?? []);
        if (inputs.every(({ shape }) => sizeOf(shape) > 0)) return original(call);
        return tf.tidy(() => result(inputs.map(tensorOf), attributesOf(call.attrs)));
      },
      backend,
    );
  for (const [name, value] of Object.entries(neutral))
    correct(name, ['x'], ([x], attributes) => {
      const [shape, dtype] = [x?.shape ?? [], name === 'Mean' ? 'float32' : x?.dtype];
      const whole = dtype === 'int32' ? Math.min(Math.max(value, leastInteger), greatestInteger) : value;
      return tf.fill(reduced(shape, axesOf(attributes, shape), flagOf(attributes, 'keepDims')), whole, dtype);
    });
  correct('BatchMatMul', ['a', 'b'], ([a, b], attributes) =>
    tf.zeros(productShape(specOf(a), specOf(b), attributes), 'float32'),
  );
  correct('UnsortedSegmentSum', ['x'], ([x], attributes) =>
    tf.zeros([numberOf(attributes, 'numSegments'), ...(x?.shape.slice(1) ?? [])], x?.dtype),
  );
}

const specOf = (tensor: tf.Tensor | undefined): { shape: number[]; dtype: 'float32' } => ({
  shape: tensor?.shape ?? [],
  dtype: 'float32',
});
