/** Kernels that reduce, move, pick or multiply. */
import { tf } from '../../../../engine/tf.js';
import { replaceRows } from '../../../../engine/kernels/replace-rows.js';
import { sparseCrossEntropyWithGradient } from '../../../../engine/kernels/sparse-cross-entropy.js';
import { sumOfSquares } from '../../../../engine/kernels/sum-of-squares.js';
import type { DataType } from '../../../../engine/tracing/tensor-spec.js';
import { input, integers, type Input, type KernelCase } from './cases.js';
import { Draw } from './draw.js';
import { sparseCrossEntropy } from '../../../support/losses.js';

const draw = new Draw(2);

const drawn = (shape: readonly number[], dtype: DataType = 'float32', low = -3, high = 3): Input =>
  input(shape, dtype, draw.numbers({ shape, dtype }, low, high));

/** Distinct values: an extreme is at one place. */
const distinct = (shape: readonly number[], dtype: 'float32' | 'int32' = 'float32'): Input => {
  const size = shape.reduce((product, length) => product * length, 1);
  const numbers = Array.from({ length: size }, (_, index) => ((index * 7 + 3) % (size + 1)) - 2);
  return input(shape, dtype, dtype === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers));
};

type Reduce = (x: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor;

const reductions = (
  kernel: string,
  reduce: Reduce,
  options: { readonly gradient?: boolean; readonly dtypes?: readonly DataType[] } = {},
): KernelCase[] => {
  const { gradient = true, dtypes = ['float32', 'int32'] } = options;
  const of = (shape: readonly number[], dtype: DataType): Input =>
    dtype === 'bool' ? drawn(shape, dtype) : distinct(shape, dtype);
  const variants: [string, number, number | number[] | undefined, boolean][] = [
    ['over everything', 2, undefined, false],
    ['over the last axis, kept', 3, -1, true],
    ['over the first axis', 2, 0, false],
    ['over two axes', 4, [1, 3], false],
    ['over two axes from the end, kept', 3, [-1, -3], true],
    ['of a scalar', 0, undefined, false],
  ];
  return dtypes.flatMap((dtype) =>
    variants.map(([title, rank, axis, keepDims]) => ({
      kernel,
      title: `${kernel} of ${dtype} ${title}`,
      inputs: [of(draw.shape(rank), dtype)],
      run: (x) => reduce(x, axis, keepDims),
      gradient: gradient && dtype === 'float32',
    })),
  );
};

const bool = { gradient: false, dtypes: ['bool'] } as const;

const reducing: KernelCase[] = [
  ...reductions('Sum', tf.sum),
  ...reductions('Mean', tf.mean),
  ...reductions('Max', tf.max),
  ...reductions('Min', tf.min),
  ...reductions('Prod', tf.prod, { gradient: false }),
  ...reductions('All', tf.all, bool),
  ...reductions('Any', tf.any, bool),
  ...[-1, 0, 1].flatMap((axis): KernelCase[] => [
    { kernel: 'ArgMax', title: `ArgMax axis ${axis}`, inputs: [distinct([3, 2, 4])], run: (x) => tf.argMax(x, axis) },
    { kernel: 'ArgMin', title: `ArgMin axis ${axis}`, inputs: [distinct([3, 2, 4])], run: (x) => tf.argMin(x, axis) },
  ]),
  // tfjs knows no negative axis here, and its gradient is that of the last axis alone.
  ...[0, 1, 2].map((axis): KernelCase => ({
    kernel: 'Cumsum',
    title: `Cumsum axis ${axis}`,
    inputs: [drawn([2, 3, 4])],
    run: (x) => tf.cumsum(x, axis, axis === 0, axis === 1),
    gradient: axis === 2,
  })),
  { kernel: 'Sum', title: 'Sum of nothing', inputs: [drawn([2, 0, 3])], run: (x) => tf.sum(x, 1) },
  { kernel: 'Prod', title: 'Prod of nothing', inputs: [drawn([0])], run: (x) => tf.prod(x) },
  { kernel: 'Cumsum', title: 'Cumsum of int32', inputs: [drawn([5], 'int32')], run: (x) => tf.cumsum(x, 0, true) },
  {
    kernel: 'AddN',
    title: 'AddN of three',
    inputs: [drawn([2, 3]), drawn([2, 3]), drawn([2, 3])],
    run: (...xs) => tf.addN(xs),
    gradient: true,
  },
  {
    kernel: 'Softmax',
    title: 'Softmax of rank 3',
    inputs: [drawn([2, 3, 5])],
    run: (x) => tf.softmax(x),
    gradient: true,
  },
];

const product = (
  a: readonly number[],
  b: readonly number[],
  tA: boolean,
  tB: boolean,
  gradient = true,
): KernelCase => ({
  kernel: 'BatchMatMul',
  title: `BatchMatMul [${a.join()}]${tA ? 'ᵀ' : ''} [${b.join()}]${tB ? 'ᵀ' : ''}`,
  inputs: [drawn(a), drawn(b)],
  run: (left, right) => tf.matMul(left, right, tA, tB),
  gradient,
});

/** [rows, columns], or the same turned over, below some axes for batches. */
const matrix = (turned: boolean, rows: number, columns: number, ...batches: number[]): number[] => [
  ...batches,
  ...(turned ? [columns, rows] : [rows, columns]),
];

const products: KernelCase[] = [false, true].flatMap((tA) =>
  [false, true].flatMap((tB) => {
    const [n, d, m, b, c] = [1, 2, 2, 2, 2].map((least) => draw.integer(least, 6)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return [
      product(matrix(tA, n, d), matrix(tB, d, m), tA, tB),
      product(matrix(tA, n, d, b), matrix(tB, d, m, b), tA, tB),
      product(matrix(tA, n, d, b, c), matrix(tB, d, m, b, c), tA, tB),
      product(matrix(tA, n, d, 1, 1), matrix(tB, d, m, 1), tA, tB, false),
      product(matrix(tA, n, d, b, c), matrix(tB, d, m, 1, 1), tA, tB, false),
      product(matrix(tA, n, d), matrix(tB, d, m, b), tA, tB, false),
    ];
  }),
);

const one = (
  kernel: string,
  title: string,
  inputs: readonly Input[],
  run: KernelCase['run'],
  gradient = true,
): KernelCase => ({
  kernel,
  title: `${kernel} ${title}`,
  inputs,
  run,
  gradient,
});

const moving: KernelCase[] = [
  one('Tile', 'as tfjs broadcasts', [drawn([1, 3])], (x) => tf.broadcastTo(x, [2, 4, 3])),
  one('Concat', 'along the last axis', [drawn([2, 3]), drawn([2, 1])], (a, b) => tf.concat([a, b], -1)),
  one(
    'Concat',
    'of twelve',
    Array.from({ length: 12 }, (_, index) => drawn([1 + (index % 2), 2])),
    (...xs) => tf.concat(xs, 0),
  ),
  one('Concat', 'of int32', [drawn([2], 'int32'), drawn([3], 'int32')], (a, b) => tf.concat([a, b]), false),
  one('Constant', 'of float32', [drawn([3])], (x) => tf.add(x, tf.tensor1d([1.5, -0, 3e-9]))),
  one('Constant', 'of int32', [drawn([2], 'int32')], (x) => tf.add(x, tf.tensor1d([7, -7], 'int32')), false),
  one('Constant', 'of bool', [drawn([2], 'bool')], (x) => tf.logicalOr(x, tf.tensor1d([true, false], 'bool')), false),
  one('ExpandDims', 'at the end', [drawn([2, 3])], (x) => tf.expandDims(x, -1)),
  one('ExpandDims', 'in the middle', [drawn([2, 3], 'bool')], (x) => tf.expandDims(x, 1), false),
  one('Fill', 'with a float', [drawn([2, 3])], (x) => tf.add(x, tf.fill([2, 3], 0.25))),
  one('Fill', 'with an integer', [drawn([2], 'int32')], (x) => tf.add(x, tf.fill([2], 7, 'int32')), false),
  one('Pack', 'along a new first axis', [drawn([2, 3]), drawn([2, 3])], (a, b) => tf.stack([a, b])),
  one('Pack', 'along a new last axis', [drawn([2]), drawn([2]), drawn([2])], (...xs) => tf.stack(xs, -1)),
  one('PadV2', 'with a number', [drawn([2, 3])], (x) =>
    tf.pad(
      x,
      [
        [1, 0],
        [2, 1],
      ],
      0.5,
    ),
  ),
  one('PadV2', 'of int32', [drawn([3], 'int32')], (x) => tf.pad(x, [[1, 2]], 9), false),
  one('Range', 'of floats', [drawn([4])], (x) => tf.add(x, tf.range(0, 2, 0.5))),
  one('Range', 'of integers, backwards', [drawn([3], 'int32')], (x) => tf.add(x, tf.range(6, 0, -2, 'int32')), false),
  one('Reshape', 'with an implied length', [drawn([2, 3, 2])], (x) => tf.reshape(x, [-1, 4])),
  one('Reshape', 'to a scalar', [drawn([1, 1], 'bool')], (x) => tf.reshape(x, []), false),
  one('Slice', 'from the middle', [drawn([3, 4])], (x) => tf.slice(x, [1, 1], [-1, 2])),
  one('Slice', 'of rows', [drawn([4, 2], 'int32')], (x) => tf.slice(x, 1, 2), false),
  one('SplitV', 'in equal parts', [drawn([2, 6])], (x) => tf.split(x, 3, -1)),
  one('SplitV', 'in named sizes', [drawn([6, 2])], (x) => tf.split(x, [1, 3, 2], 0)),
  one('Tile', 'along both axes', [drawn([2, 3])], (x) => tf.tile(x, [2, 3])),
  one('Transpose', 'of a matrix', [drawn([2, 3])], (x) => tf.transpose(x)),
  one('Transpose', 'of rank 4', [drawn([2, 3, 4, 2])], (x) => tf.transpose(x, [0, 2, 1, 3])),
  one('Transpose', 'of int32', [drawn([2, 3], 'int32')], (x) => tf.transpose(x), false),
  one('Unpack', 'along the first axis', [drawn([3, 2])], (x) => tf.unstack(x)),
  one('Unpack', 'along the last axis', [drawn([2, 3])], (x) => tf.unstack(x, -1)),
  one('Unpack', 'into one', [drawn([1, 3])], (x) => tf.unstack(x), false),
];

const picking: KernelCase[] = [
  one('GatherV2', 'of rows, some twice', [drawn([4, 3]), integers(1, 3, 1)], (x, ids) => tf.gather(x, ids)),
  one('GatherV2', 'along the last axis', [drawn([2, 4]), integers(0, 3, 3)], (x, ids) => tf.gather(x, ids, -1)),
  one(
    'GatherV2',
    'of ids in a matrix',
    [drawn([5, 2]), input([2, 2], 'int32', Int32Array.of(0, 4, 4, 1))],
    (x, ids) => tf.gather(x, ids),
    false,
  ),
  one(
    'GatherV2',
    'row by row',
    [drawn([2, 5]), input([2, 3], 'int32', Int32Array.of(0, 4, 4, 1, 2, 2))],
    (x, ids) => tf.gather(x, ids, 1, 1),
    false,
  ),
  one('GatherV2', 'of int32', [drawn([4], 'int32'), integers(3, 0)], (x, ids) => tf.gather(x, ids), false),
  one(
    'GatherNd',
    'of elements',
    [drawn([3, 4]), input([2, 2], 'int32', Int32Array.of(0, 1, 2, 3))],
    (x, ids) => tf.gatherND(x, ids),
    false,
  ),
  one(
    'ScatterNd',
    'that adds twice to one row',
    [input([3, 1], 'int32', Int32Array.of(1, 3, 1)), drawn([3, 2])],
    (ids, updates) => tf.scatterND(ids, updates, [4, 2]),
    false,
  ),
  one(
    'ReplaceRows',
    'out of order',
    [drawn([5, 2, 3]), integers(4, 0), drawn([2, 2, 3])],
    (x, rows, values) => replaceRows(x, rows as tf.Tensor1D, values),
    false,
  ),
  one('UnsortedSegmentSum', 'with an empty segment', [drawn([4, 2]), integers(2, 0, 2, 2)], (x, ids) =>
    tf.unsortedSegmentSum(x, ids as tf.Tensor1D, 4),
  ),
  one(
    'TopK',
    'of a matrix',
    [distinct([3, 5])],
    (x) => {
      const { values, indices } = tf.topk(x, 3);
      return [values, indices];
    },
    false,
  ),
  one(
    'TopK',
    'of equal values: the lower index first',
    [input([6], 'int32', Int32Array.of(1, 3, 3, 2, 3, 1))],
    (x) => {
      const { values, indices } = tf.topk(x, 4);
      return [values, indices];
    },
    false,
  ),
  one(
    'SparseCrossEntropy',
    'with its gradient',
    [drawn([4, 6]), integers(5, 0, 2, 2)],
    (logits, labels) => {
      const { loss_N, gradient_NV } = sparseCrossEntropyWithGradient(logits as tf.Tensor2D, labels as tf.Tensor1D);
      return [loss_N, gradient_NV];
    },
    false,
  ),
  one('SumOfSquares', 'of a matrix', [drawn([7, 9])], (x) => sumOfSquares(x), false),
  one('SumOfSquares', 'of a vector', [drawn([5])], (x) => sumOfSquares(x), false),
  one('SparseCrossEntropy', 'on the tape', [drawn([4, 6]), integers(5, 0, 2, 2)], (logits, labels) =>
    sparseCrossEntropy(logits as tf.Tensor2D, labels as tf.Tensor1D),
  ),
];

export const structuralCases: readonly KernelCase[] = [...reducing, ...products, ...moving, ...picking];
