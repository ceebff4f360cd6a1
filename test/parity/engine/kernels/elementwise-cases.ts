/** Kernels that work element by element, with every way of broadcasting. */
import { tf } from '../../../../engine/tf.js';
import { adamwKernel } from '../../../../engine/kernels/adamw.js';
import { barrierKernel } from '../../../../engine/kernels/barrier.js';
import { runComposite } from '../../../../engine/kernels/composite.js';
import { after } from '../../../../engine/kernels/order.js';
import { broadcastingSelectKernel } from '../../../../engine/kernels/select.js';
import type { DataType } from '../../../../engine/tracing/tensor-spec.js';
import type { Input, KernelCase } from './cases.js';
import { input } from './cases.js';
import { Draw } from './draw.js';

const draw = new Draw(1);

const drawn = (shape: readonly number[], dtype: DataType, low = -3, high = 3): Input =>
  input(shape, dtype, draw.numbers({ shape, dtype }, low, high));

type Unary = (x: tf.Tensor) => tf.Tensor;
type Range = readonly [low: number, high: number];

const unary = (kernel: string, run: Unary, [low, high]: Range = [-3, 3], gradient = true): KernelCase[] =>
  [0, 3].map((rank) => ({
    kernel,
    title: `${kernel} of float32, rank ${rank}`,
    inputs: [drawn(draw.shape(rank), 'float32', low, high)],
    run,
    gradient,
  }));

const typed = (kernel: string, dtype: DataType, run: Unary): KernelCase => ({
  kernel,
  title: `${kernel} of ${dtype}`,
  inputs: [drawn(draw.shape(2), dtype)],
  run,
});

const positive: Range = [0.2, 4];

const unaries: KernelCase[] = [
  ...unary('Abs', tf.abs),
  ...unary('Ceil', tf.ceil),
  ...unary('Cos', tf.cos),
  ...unary('Erf', tf.erf).map((one) => ({ ...one, tolerance: 1e-4 })),
  ...unary('Exp', tf.exp),
  ...unary('Expm1', tf.expm1),
  ...unary('Floor', tf.floor),
  ...unary('IsFinite', (x) => tf.isFinite(tf.log(x)), [-1, 2], false),
  ...unary('IsNan', (x) => tf.isNaN(tf.sqrt(x)), [-1, 2], false),
  ...unary('Log', tf.log, positive),
  ...unary('Log1p', tf.log1p, positive),
  ...unary('Neg', tf.neg),
  ...unary('OnesLike', tf.onesLike, undefined, false),
  ...unary('Reciprocal', tf.reciprocal, positive),
  ...unary('Relu', tf.relu),
  ...unary('Round', tf.round),
  ...unary('Rsqrt', tf.rsqrt, positive),
  ...unary('Sigmoid', tf.sigmoid),
  ...unary('Sign', tf.sign),
  ...unary('Sin', tf.sin),
  ...unary('Softplus', tf.softplus),
  ...unary('Sqrt', tf.sqrt, positive),
  ...unary('Square', tf.square),
  ...unary('Step', (x) => tf.step(x, 0.3)),
  ...unary('Tanh', tf.tanh),
  ...unary('ZerosLike', tf.zerosLike, undefined, false),
  ...unary('ClipByValue', (x) => tf.clipByValue(x, -1.3, 0.7)),
  typed('Abs', 'int32', tf.abs),
  typed('Neg', 'int32', tf.neg),
  typed('OnesLike', 'bool', tf.onesLike),
  typed('Relu', 'int32', tf.relu),
  typed('Sign', 'int32', tf.sign),
  typed('Square', 'int32', tf.square),
  typed('Step', 'int32', (x) => tf.step(x)),
  typed('ZerosLike', 'int32', tf.zerosLike),
  typed('ClipByValue', 'int32', (x) => tf.clipByValue(x, -1, 2)),
  typed('LogicalNot', 'bool', tf.logicalNot),
  ...(['float32', 'int32', 'bool'] as const).flatMap((from) =>
    (['float32', 'int32', 'bool'] as const)
      .filter((to) => to !== from)
      .map((to) => ({ ...typed('Cast', from, (x) => tf.cast(x, to)), title: `Cast of ${from} to ${to}` })),
  ),
];

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const binary = (kernel: string, run: Binary, options: Partial<KernelCase> = {}, range: Range = [-3, 3]): KernelCase[] =>
  [1, 4].flatMap((rank) => {
    const shape = draw.shape(rank);
    const other = draw.broadcasting(shape);
    return [[shape, shape] as const, [shape, other] as const, [other, shape] as const].map(([a, b]) => ({
      kernel,
      title: `${kernel} of float32[${a.join()}] and [${b.join()}]`,
      inputs: [drawn(a, 'float32', ...range), drawn(b, 'float32', ...range)],
      run,
      ...options,
    }));
  });

/** tfjs's gradient of these does not sum over broadcast axes: compared where there are none. */
const withoutBroadcast = (cases: readonly KernelCase[]): KernelCase[] =>
  cases.map((one) => {
    const [a, b] = one.inputs.map(({ spec }) => spec.shape.join());
    return { ...one, gradient: a === b };
  });

const integerBinary = (kernel: string, run: Binary, [low, high]: Range = [-5, 5]): KernelCase => ({
  kernel,
  title: `${kernel} of int32`,
  inputs: [drawn([2, 3], 'int32', low, high), drawn([3], 'int32', Math.max(low, 1), high)],
  run,
});

const truth = (kernel: string, run: Binary): KernelCase => ({
  kernel,
  title: `${kernel} of bool`,
  inputs: [drawn([3, 4], 'bool'), drawn([4], 'bool')],
  run,
});

const grad = { gradient: true };

const binaries: KernelCase[] = [
  ...binary('Add', tf.add, grad),
  ...binary('Equal', (a, b) => tf.equal(tf.round(a), tf.round(b))),
  ...binary('FloorDiv', tf.floorDiv, {}, positive),
  ...binary('Greater', tf.greater),
  ...binary('GreaterEqual', (a, b) => tf.greaterEqual(tf.round(a), tf.round(b))),
  ...binary('Less', tf.less),
  ...binary('LessEqual', (a, b) => tf.lessEqual(tf.round(a), tf.round(b))),
  ...withoutBroadcast(binary('Maximum', tf.maximum)),
  ...withoutBroadcast(binary('Minimum', tf.minimum)),
  ...binary('Mod', tf.mod, {}, positive),
  ...binary('Multiply', tf.mul, grad),
  ...binary('NotEqual', (a, b) => tf.notEqual(tf.round(a), tf.round(b))),
  ...binary('Pow', tf.pow, { ...grad, tolerance: 1e-4 }, positive),
  ...binary('RealDiv', tf.div, { ...grad, tolerance: 1e-4 }, positive),
  ...withoutBroadcast(binary('SquaredDifference', tf.squaredDifference)),
  ...binary('Sub', tf.sub, grad),
  integerBinary('Add', tf.add),
  integerBinary('Equal', tf.equal),
  integerBinary('FloorDiv', tf.floorDiv),
  integerBinary('Greater', tf.greater),
  integerBinary('GreaterEqual', tf.greaterEqual),
  integerBinary('Less', tf.less),
  integerBinary('LessEqual', tf.lessEqual),
  integerBinary('Maximum', tf.maximum),
  integerBinary('Minimum', tf.minimum),
  integerBinary('Mod', tf.mod),
  integerBinary('Multiply', tf.mul),
  integerBinary('NotEqual', tf.notEqual),
  integerBinary('Pow', tf.pow, [0, 4]),
  integerBinary('SquaredDifference', tf.squaredDifference),
  integerBinary('Sub', tf.sub),
  truth('Equal', tf.equal),
  truth('NotEqual', tf.notEqual),
  truth('LogicalAnd', tf.logicalAnd),
  truth('LogicalOr', tf.logicalOr),
];

const choice = (title: string, shapes: readonly (readonly number[])[], dtype: DataType): KernelCase => {
  const [condition = [], t = [], e = []] = shapes;
  return {
    kernel: 'Select',
    title: `Select ${title}`,
    inputs: [drawn(condition, 'bool'), drawn(t, dtype), drawn(e, dtype)],
    run: (mask, yes, no) => tf.where(mask, yes, no),
    gradient: dtype === 'float32',
  };
};

const choices: KernelCase[] = [
  choice(
    'of one shape',
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
    'float32',
  ),
  choice(
    'under a broadcast mask',
    [
      [1, 3],
      [2, 3],
      [2, 3],
    ],
    'float32',
  ),
  choice('of int32', [[4], [4], [4]], 'int32'),
  choice('of bool', [[4], [4], [4]], 'bool'),
  {
    kernel: 'BroadcastingSelect',
    title: 'BroadcastingSelect of a mask and a scalar',
    inputs: [drawn([1, 3], 'bool'), drawn([2, 3], 'float32'), drawn([], 'float32')],
    run: (condition, t, e) => runComposite(broadcastingSelectKernel, { condition, t, e }),
  },
  {
    kernel: 'After',
    title: 'After hands its tensor on',
    inputs: [drawn([2, 3], 'float32'), drawn([], 'int32')],
    run: (x, dependency) => after(x, dependency),
  },
  {
    kernel: 'Barrier',
    title: 'Barrier hands its tensors on',
    inputs: [drawn([2, 3], 'float32'), drawn([4], 'int32'), drawn([2, 2], 'float32')],
    run: (x, ids, awaited) => runComposite(barrierKernel, { 0: x, 1: ids, 2: awaited }, { values: 2 }),
  },
];

const adamw = (title: string, apply: boolean): KernelCase => ({
  kernel: 'AdamW',
  title: `AdamW ${title}`,
  inputs: [
    ...[1, 2].map(() => drawn([3, 4], 'float32')),
    drawn([3, 4], 'float32', 0.1, 2),
    drawn([3, 4], 'float32'),
    input([], 'bool', Uint8Array.of(apply ? 1 : 0)),
  ],
  run: (weight, m, v, gradient, applied) =>
    runComposite(
      adamwKernel,
      {
        weight,
        m,
        v,
        gradient,
        learningRate: tf.scalar(0.01),
        biasCorrection1: tf.scalar(1 - 0.9 ** 3),
        biasCorrection2: tf.scalar(1 - 0.999 ** 3),
        gradientScale: tf.scalar(0.5),
        apply: applied,
      },
      { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.1 },
    ),
});

export const elementwiseCases: readonly KernelCase[] = [
  ...unaries,
  ...binaries,
  ...choices,
  adamw('of one step', true),
  adamw('that is left out', false),
];
