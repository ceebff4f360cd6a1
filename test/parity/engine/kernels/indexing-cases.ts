/** Kernels that pick, order or collect elements by index: any places, some of them twice. */
import { replaceRows } from '../../../../engine/kernels/replace-rows.js';
import { tf } from '../../../../engine/tf.js';
import type { DataType } from '../../../../engine/tracing/tensor-spec.js';
import { allTypes, drawn, ofTypes, type Call, type KernelCase } from './cases.js';
import type { Draw, Input } from './draw.js';

const numbers = ['float32', 'int32'] as const;

const indices = (draw: Draw, shape: readonly number[], below: number): Input =>
  draw.input(shape, 'int32', [0, below - 1]);

/** Places in a tensor, each a row of as many indices as `lengths`. */
const places = (draw: Draw, rows: readonly number[], lengths: readonly number[]): Input => {
  const count = rows.reduce((product, length) => product * length, 1);
  const place = (): number[] => lengths.map((length) => draw.integer(0, length - 1));
  return {
    spec: { shape: [...rows, lengths.length], dtype: 'int32' },
    numbers: Int32Array.from(Array.from({ length: count }, place).flat()),
  };
};

/** The first axes of operand and indices name the batch: each has its own choice. */
const batched = (draw: Draw, batchAxes: number, dtype: DataType): Call => {
  const shape = draw.someShape(batchAxes + 1);
  const axis = draw.integer(batchAxes, shape.length - 1);
  const ids = indices(draw, [...shape.slice(0, batchAxes), ...draw.anyShape(1, 2)], shape[axis]!);
  return { inputs: [draw.input(shape, dtype), ids], run: (x, chosen) => tf.gather(x, chosen, axis, batchAxes) };
};

const gathering: KernelCase[] = [
  ...ofTypes(allTypes, 'GatherV2', 'along any axis', (draw, dtype) => {
    const any = draw.anyShape(1);
    const axis = draw.axis(any.length);
    const shape = any.with(axis, Math.max(1, any.at(axis)!));
    const ids = indices(draw, draw.anyShape(1, 2), shape.at(axis)!);
    return { inputs: [draw.input(shape, dtype), ids], run: (x, chosen) => tf.gather(x, chosen, axis) };
  }),
  ...ofTypes(allTypes, 'GatherV2', 'batch by batch', (draw, dtype) => batched(draw, 1, dtype)),
  // tfjs has no gradient for more than one axis of batches.
  ...drawn('GatherV2', 'batch by batch, twice', (draw) => batched(draw, 2, 'float32')),
  ...ofTypes(allTypes, 'GatherNd', 'of elements and slices', (draw, dtype) => {
    const shape = draw.someShape();
    const at = places(draw, draw.anyShape(1, 2), shape.slice(0, draw.integer(1, shape.length)));
    return { inputs: [draw.input(shape, dtype), at], run: (x, chosen) => tf.gatherND(x, chosen), gradient: false };
  }),
];

const collecting: KernelCase[] = [
  ...ofTypes(numbers, 'ScatterNd', 'that adds what meets', (draw, dtype) => {
    const shape = draw.someShape();
    const depth = draw.integer(1, shape.length);
    const rows = draw.shape(1);
    const updates = draw.input([...rows, ...shape.slice(depth)], dtype);
    return {
      inputs: [places(draw, rows, shape.slice(0, depth)), updates],
      run: (at, values) => tf.scatterND(at, values, shape),
      gradient: false,
    };
  }),
  ...ofTypes(allTypes, 'ReplaceRows', 'out of order', (draw, dtype) => {
    const shape = draw.someShape();
    const rows = draw.shuffled([...Array(shape[0]).keys()]).slice(0, draw.integer(1, shape[0]!));
    const chosen: Input = { spec: { shape: [rows.length], dtype: 'int32' }, numbers: Int32Array.from(rows) };
    return {
      inputs: [draw.input(shape, dtype), chosen, draw.input([rows.length, ...shape.slice(1)], dtype)],
      run: (x, at, values) => replaceRows(x, at as tf.Tensor1D, values),
      gradient: false,
    };
  }),
  ...ofTypes(['float32'], 'UnsortedSegmentSum', 'with rows of no segment', (draw, dtype) => {
    const shape = draw.anyShape(1);
    const segments = draw.integer(1, 5);
    const ids = draw.input(shape.slice(0, 1), 'int32', [-1, segments - 1]);
    return {
      inputs: [draw.input(shape, dtype), ids],
      run: (x, of) => tf.unsortedSegmentSum(x, of as tf.Tensor1D, segments),
    };
  }),
  ...drawn(
    'UnsortedSegmentSum',
    'of no rows',
    (draw) => ({
      inputs: [draw.input([0, 2]), draw.input([0], 'int32')],
      run: (x, of) => tf.unsortedSegmentSum(x, of as tf.Tensor1D, 3),
    }),
    1,
  ),
];

const top = (draw: Draw, input: Input): Call => {
  const kept = draw.integer(1, input.spec.shape.at(-1)!);
  const run = (x: tf.Tensor): tf.Tensor[] => {
    const { values, indices: at } = tf.topk(x, kept);
    return [values, at];
  };
  return { inputs: [input], run, gradient: false };
};

const ordering: KernelCase[] = [
  ...ofTypes(numbers, 'TopK', 'of different values', (draw, dtype) =>
    top(draw, draw.distinct(draw.someShape(), dtype)),
  ),
  ...ofTypes(numbers, 'TopK', 'of equal values: the lower index first', (draw, dtype) => {
    const { spec, numbers: whole } = draw.input([draw.integer(1, 3), 8], 'int32', [1, 3]);
    const values = dtype === 'float32' ? Float32Array.from(whole) : whole;
    return top(draw, { spec: { ...spec, dtype }, numbers: values });
  }),
];

export const indexingCases: readonly KernelCase[] = [...gathering, ...collecting, ...ordering];
