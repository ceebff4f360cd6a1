/** Kernels that reduce axes, and matrix products. */
import { tf } from '../../../../engine/tf.js';
import type { DataType } from '../../../../engine/tracing/tensor-spec.js';
import { allTypes, drawn, ofTypes, type Call, type KernelCase } from './cases.js';
import type { Draw } from './draw.js';

const numbers = ['float32', 'int32'] as const;

type Reduce = (x: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor;

/** One axis or some, counted from either end. */
const axesOf = (draw: Draw, rank: number): number | number[] =>
  draw.truth()
    ? draw.axis(rank)
    : draw
        .shuffled([...Array(rank).keys()])
        .slice(0, draw.integer(1, rank))
        .map((axis) => (draw.truth() ? axis : axis - rank));

const reductions = (kernel: string, reduce: Reduce, dtypes: readonly DataType[] = numbers): KernelCase[] => [
  ...ofTypes(dtypes, kernel, 'over some axes', (draw, dtype) => {
    const shape = draw.anyShape(1);
    const [axes, keepDims] = [axesOf(draw, shape.length), draw.truth()];
    return { inputs: [draw.distinct(shape, dtype)], run: (x) => reduce(x, axes, keepDims) };
  }),
  ...ofTypes(dtypes, kernel, 'over everything', (draw, dtype) => {
    const keepDims = draw.truth();
    return { inputs: [draw.distinct(draw.anyShape(), dtype)], run: (x) => reduce(x, undefined, keepDims) };
  }),
  ...dtypes.flatMap((dtype) =>
    drawn(
      kernel,
      `of nothing, ${dtype}`,
      (draw) => {
        const shape = draw.shuffled([0, draw.integer(0, 3), draw.integer(0, 3)]);
        const keepDims = draw.truth();
        return { inputs: [draw.input(shape, dtype)], run: (x) => reduce(x, shape.indexOf(0), keepDims) };
      },
      1,
    ),
  ),
  ...drawn(kernel, 'of a scalar', (draw) => ({ inputs: [draw.distinct([], dtypes[0])], run: (x) => reduce(x) }), 1),
];

/** Of small numbers, so that float32 holds their products. */
const multiplying = (
  what: string,
  gradient: boolean,
  counted: (axes: number[], rank: number) => number[],
): KernelCase[] =>
  ofTypes(numbers, 'Prod', what, (draw, dtype) => {
    const shape = draw.anyShape(1);
    const axes = counted([axesOf(draw, shape.length)].flat(), shape.length);
    const keepDims = draw.truth();
    return {
      inputs: [draw.input(shape, dtype, [-2, 2])],
      run: (x) => tf.prod(x, axes, keepDims),
      gradient: gradient && dtype === 'float32',
    };
  });

/** tfjs's gradient knows no axis counted from the end. */
const products: KernelCase[] = [
  ...multiplying('over some axes', true, (axes, rank) => axes.map((axis) => (axis + rank) % rank)),
  ...multiplying('over some axes from either end', false, (axes) => axes),
];

type Argument = (x: tf.Tensor, axis: number) => tf.Tensor;

const places = (kernel: string, find: Argument): KernelCase[] => [
  ...ofTypes(allTypes, kernel, 'of different values', (draw, dtype) => {
    const shape = draw.someShape();
    const axis = draw.axis(shape.length);
    return { inputs: [draw.distinct(shape, dtype)], run: (x) => find(x, axis) };
  }),
  ...drawn(kernel, 'of equal values: the first', (draw) => {
    const shape = draw.someShape();
    const axis = draw.axis(shape.length);
    return { inputs: [draw.input(shape, 'int32', [0, 1])], run: (x) => find(x, axis) };
  }),
];

const cumulative = (
  kernel: string,
  run: (x: tf.Tensor, axis: number, ...flags: boolean[]) => tf.Tensor,
): KernelCase[] =>
  ofTypes(numbers, kernel, 'along any axis', (draw, dtype) => {
    const shape = draw.anyShape(1);
    // tfjs knows no negative axis here.
    const axis = draw.integer(0, shape.length - 1);
    const flags = [draw.truth(), draw.truth()];
    return { inputs: [draw.input(shape, dtype)], run: (x) => run(x, axis, ...flags), gradient: false };
  });

const reducing: KernelCase[] = [
  ...reductions('Sum', tf.sum),
  ...reductions('Mean', tf.mean, allTypes),
  ...reductions('Max', tf.max),
  ...reductions('Min', tf.min),
  ...products,
  ...reductions('All', tf.all, ['bool']),
  ...reductions('Any', tf.any, ['bool']),
  ...places('ArgMax', tf.argMax),
  ...places('ArgMin', tf.argMin),
  ...cumulative('Cumsum', tf.cumsum),
  ...cumulative('Cumprod', tf.cumprod),
  // tfjs's gradient is that of the last axis alone.
  ...drawn('Cumsum', 'along the last axis', (draw) => {
    const shape = draw.anyShape(1);
    const flags = [draw.truth(), draw.truth()];
    return { inputs: [draw.input(shape)], run: (x) => tf.cumsum(x, shape.length - 1, ...flags), gradient: true };
  }),
  ...numbers.flatMap((dtype) =>
    drawn(
      'Prod',
      `of nothing, ${dtype}`,
      (draw) => ({ inputs: [draw.input([2, 0], dtype)], run: (x) => tf.prod(x, 1) }),
      1,
    ),
  ),
  ...ofTypes(numbers, 'AddN', 'of some', (draw, dtype) => {
    const shape = draw.anyShape();
    const inputs = Array.from({ length: draw.integer(1, 4) }, () => draw.input(shape, dtype));
    return { inputs, run: (...terms) => tf.addN(terms) };
  }),
  ...drawn('Softmax', 'over the last axis', (draw) => ({
    inputs: [draw.input(draw.anyShape(1))],
    run: (x) => tf.softmax(x),
    gradient: true,
  })),
];

type Sides = readonly [a: readonly number[], b: readonly number[]];

const same = (shape: readonly number[]): Sides => [shape, shape];

/** Leading axes of both sides by the name of the case. tfjs's gradient of those that broadcast has another shape. */
const batches: readonly (readonly [what: string, gradient: boolean, leading: (draw: Draw) => Sides])[] = [
  ['one each', true, () => [[], []]],
  ['batch by batch', true, (draw) => same(draw.anyShape(1, 2))],
  ['of batches of one', false, () => [[1, 1], [1]]],
  ['of batches with one', false, (draw) => [draw.shape(2), [1, 1]]],
  ['of one with a batch', false, (draw) => [[], draw.shape(1)]],
];

const multiplied = (draw: Draw, [a, b]: Sides, tA: boolean, tB: boolean): Call => {
  const length = (least: number): number => draw.integer(least * draw.shortest, 6);
  const [rows, inner, columns] = [length(1), length(2), length(1)];
  const left = tA ? [inner, rows] : [rows, inner];
  const right = tB ? [columns, inner] : [inner, columns];
  return {
    inputs: [draw.input([...a, ...left]), draw.input([...b, ...right])],
    run: (one, other) => tf.matMul(one, other, tA, tB),
  };
};

const matrices: KernelCase[] = batches.flatMap(([what, gradient, leading]) =>
  [false, true].flatMap((tA) =>
    [false, true].flatMap((tB) =>
      drawn(
        'BatchMatMul',
        `${what}${tA ? ', aᵀ' : ''}${tB ? ', bᵀ' : ''}`,
        (draw) => ({
          ...multiplied(draw, leading(draw), tA, tB),
          gradient,
        }),
        1,
      ),
    ),
  ),
);

/** Sums of no products, and no products at all. */
const empty: KernelCase[] = (
  [
    [2, 0, 3],
    [0, 2, 3],
    [2, 2, 0],
  ] as const
).flatMap(([rows, inner, columns]) =>
  [[], [2], [0]].flatMap((leading) =>
    drawn(
      'BatchMatMul',
      'with lengths of none',
      (draw) => ({
        inputs: [draw.input([...leading, rows, inner]), draw.input([...leading, inner, columns])],
        run: (a, b) => tf.matMul(a, b),
      }),
      1,
    ),
  ),
);

export const reductionCases: readonly KernelCase[] = [...reducing, ...matrices, ...empty];
