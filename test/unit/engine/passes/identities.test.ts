import { tf } from '../../../../engine/tf.js';
import { trace } from '../../../../engine/tracing/trace.js';
import { rewrite } from '../../../../engine/passes/rewrite.js';
import { float, kernelsAfter, withAndWithout, type Tried } from './on-and-off.js';

type Compute = (x: tf.Tensor, y: tf.Tensor) => tf.Tensor;

/** x and y are [2, 3]. */
const of = (compute: Compute): Tried => ({
  inputs: { x: float(2, 3), y: float(2, 3) },
  run: (_, inputs) => ({ outputs: { z: compute(inputs['x'] ?? tf.scalar(0), inputs['y'] ?? tf.scalar(0)) } }),
});

/** Negative zero, infinities and NaN among them. */
const feeds = [
  { x: Float32Array.of(1.5, -0, 0, Infinity, -2.25, NaN), y: Float32Array.of(-1, 0, -0, 3, -Infinity, 7) },
  { x: Float32Array.of(0.1, 0.2, 0.3, 4, 5, 6), y: Float32Array.of(0.7, -0.8, 0.9, 1e-3, 1e9, -1e-9) },
];

const cases: readonly (readonly [title: string, compute: Compute, kernels: readonly string[]])[] = [
  ['times one', (x) => tf.mul(x, 1), []],
  ['times ones of its shape', (x) => tf.mul(tf.ones([2, 3]), x), []],
  ['times minus one', (x) => tf.mul(x, -1), ['Neg']],
  ['divided by one', (x) => tf.div(x, tf.ones([2, 3])), []],
  ['minus zero', (x) => tf.sub(x, 0), []],
  ['plus zero stays: -0 + 0 is 0', (x) => tf.add(x, 0), ['Add']],
  ['plus negative zero', (x) => tf.add(x, -0), []],
  ['plus a negative', (x, y) => tf.add(x, tf.neg(y)), ['Sub']],
  ['a negative plus', (x, y) => tf.add(tf.neg(x), y), ['Sub']],
  ['minus a negative', (x, y) => tf.sub(x, tf.neg(y)), ['Add']],
  ['a negative of a negative', (x) => tf.neg(tf.neg(x)), []],
  ['to the power of one', (x) => tf.pow(x, 1), []],
  ['a square as a power', (x) => tf.pow(x, 2), ['Square']],
  ['equal branches', (x, y) => tf.where(tf.greater(x, y), x, x), []],
  ['a condition that is known', (x, y) => tf.where(tf.fill([2, 3], 1).toBool(), x, y), []],
  ['reshaped twice', (x) => tf.reshape(tf.reshape(x, [6]), [3, 2]), ['Reshape']],
  ['reshaped there and back', (x) => tf.reshape(tf.reshape(x, [6]), [2, 3]), []],
  ['expanded and squeezed', (x) => tf.squeeze(tf.expandDims(x, 0), [0]), []],
  ['transposed twice', (x) => tf.transpose(tf.transpose(x)), []],
  ['a transposition of axes of length one', (x) => tf.transpose(tf.reshape(x, [1, 6])), ['Reshape']],
  ['the maximum over an axis of length one', (x) => tf.max(tf.reshape(x, [2, 1, 3]), 1), []],
  ['put together as it was cut', (x) => tf.concat(tf.split(x, 3, 1), 1), []],
  ['a whole slice', (x) => tf.slice(x, [0, 0], [2, 3]), []],
  ['tiled once', (x) => tf.tile(x, [1, 1]), []],
  ['transposed into a product', (x, y) => tf.matMul(tf.transpose(x), y), ['BatchMatMul']],
  ['twice the same', (x, y) => tf.mul(tf.exp(tf.mul(x, y)), tf.exp(tf.mul(y, x))), ['Multiply', 'Exp', 'Multiply']],
  ['a scalar broadcast for it', (x) => tf.add(tf.tile(tf.reshape(tf.sum(x), [1, 1]), [2, 3]), x), ['Sum', 'Add']],
  ['a scalar condition', (x, y) => tf.where(tf.less(tf.sum(x), 0), x, y), ['Sum', 'Less', 'BroadcastingSelect']],
  ['arithmetic of numbers', (x) => tf.mul(x, tf.sqrt(tf.add(tf.mul(tf.scalar(3), 4), 4))), ['Multiply']],
  ['what nobody asks for', (x, y) => (tf.exp(y), x), []],
];

test.each(cases)('%s: nothing is left but what is needed, and every bit stays', async (_, compute, kernels) => {
  const tried = of(compute);
  expect(kernelsAfter(tried)).toEqual(kernels);
  const [without, withPasses] = await withAndWithout(tried, feeds);
  expect(withPasses).toEqual(without);
});

const powers: readonly (readonly [number, readonly string[]])[] = [
  [0.5, ['Sqrt']],
  [-0.5, ['Rsqrt']],
  [-1, ['Reciprocal']],
  [1.5, ['Sqrt', 'Multiply']],
  [-1.5, ['Rsqrt', 'RealDiv']],
];

test.each(powers)('a power of %d is a root, equal up to rounding', async (exponent, kernels) => {
  const tried = of((x) => tf.pow(x, exponent));
  expect(kernelsAfter(tried)).toEqual(kernels);
  const positive = { x: Float32Array.of(0.5, 1, 2, 3.7, 1e4, 1e-4), y: new Float32Array(6) };
  const [[expected], [found]] = await withAndWithout(tried, [positive]);
  found?.['z']?.forEach((number, index) => {
    const reference = expected?.['z']?.[index] ?? NaN;
    expect(Math.abs(number - reference)).toBeLessThanOrEqual(5e-7 * Math.abs(reference));
  });
});

test('a sum over an axis of length one is no sum; of zeros it keeps the sign', async () => {
  const tried = of((x) => tf.sum(tf.reshape(x, [2, 1, 3]), 1));
  expect(kernelsAfter(tried)).toEqual([]);
  const [[, expected], [negative, found]] = await withAndWithout(tried, feeds);
  expect(found).toEqual(expected);
  expect(negative?.['z']?.[1]).toBe(-0);
});

test('a large constant of one value is not part of the program', () => {
  const tried = of((x) => tf.matMul(x, tf.fill([3, 1000], 0.5)));
  const { operations } = rewrite(trace('tried', {}, tried.inputs ?? {}, tried.run));
  expect(operations.map(({ kernel }) => kernel)).toEqual(['Fill', 'BatchMatMul']);
});

test('every pass can be left out by name', () => {
  const tried = of((x) => tf.mul(tf.neg(tf.neg(x)), 1));
  expect(kernelsAfter(tried, { identities: false })).toEqual(['Neg', 'Neg', 'Multiply']);
});
