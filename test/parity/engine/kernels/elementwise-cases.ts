/** Kernels of one operand that work element by element, and the choice between two. */
import { tf } from '../../../../engine/tf.js';
import type { DataType } from '../../../../engine/tracing/tensor-spec.js';
import { allTypes, drawn, ofTypes, type KernelCase } from './cases.js';
import type { Draw, Input, Range } from './draw.js';

type Unary = (x: tf.Tensor) => tf.Tensor;

const positive: Range = [0.2, 4];

const unary = (kernel: string, run: Unary, range: Range = [-3, 3], tolerance = 1e-5): KernelCase[] => {
  const of = (shape: (draw: Draw) => number[]) => (draw: Draw) => ({
    inputs: [draw.input(shape(draw), 'float32', range)],
    run,
    gradient: true,
    tolerance,
  });
  return [
    ...drawn(
      kernel,
      'of a scalar',
      of(() => []),
      1,
    ),
    ...drawn(
      kernel,
      'of any shape',
      of((draw) => draw.anyShape(1)),
      2,
    ),
  ];
};

const typed = (kernel: string, run: Unary, ...dtypes: DataType[]): KernelCase[] =>
  ofTypes(dtypes, kernel, 'of any shape', (draw, dtype) => ({ inputs: [draw.input(draw.anyShape(), dtype)], run }));

/** Every third number is none, or infinite. */
const special = (draw: Draw): Input => {
  const { spec, numbers } = draw.input(draw.anyShape(1));
  const strange = [NaN, Infinity, -Infinity];
  return { spec, numbers: Float32Array.from(numbers, (number) => strange[draw.integer(0, 8)] ?? number) };
};

const telling = (kernel: string, run: Unary): KernelCase[] =>
  drawn(kernel, 'of numbers and none', (draw) => ({ inputs: [special(draw)], run, gradient: true }));

const unaries: KernelCase[] = [
  ...unary('Abs', tf.abs),
  ...unary('Ceil', tf.ceil),
  ...unary('ClipByValue', (x) => tf.clipByValue(x, -1.3, 0.7)),
  ...unary('Cos', tf.cos),
  ...unary('Erf', tf.erf, [-3, 3], 1e-4),
  ...unary('Exp', tf.exp),
  ...unary('Expm1', tf.expm1),
  ...unary('Floor', tf.floor),
  ...unary('Log', tf.log, positive),
  ...unary('Log1p', tf.log1p, positive),
  ...unary('Neg', tf.neg),
  ...unary('OnesLike', tf.onesLike),
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
  ...unary('ZerosLike', tf.zerosLike),
  ...telling('IsFinite', tf.isFinite),
  ...telling('IsNan', tf.isNaN),
  ...typed('Abs', tf.abs, 'int32'),
  ...typed('ClipByValue', (x) => tf.clipByValue(x, -1, 2), 'int32'),
  ...typed('LogicalNot', tf.logicalNot, 'bool'),
  ...typed('Neg', tf.neg, 'int32'),
  ...typed('OnesLike', tf.onesLike, 'int32', 'bool'),
  ...typed('Relu', tf.relu, 'int32'),
  ...typed('Sign', tf.sign, 'int32'),
  ...typed('Square', tf.square, 'int32'),
  ...typed('Step', (x) => tf.step(x), 'int32'),
  ...typed('ZerosLike', tf.zerosLike, 'int32', 'bool'),
  ...allTypes.flatMap((to) =>
    ofTypes(allTypes, 'Cast', `to ${to}`, (draw, dtype) => ({
      inputs: [draw.input(draw.anyShape(), dtype)],
      run: (x) => tf.cast(x, to),
    })),
  ),
];

const choices: KernelCase[] = [
  ...ofTypes(allTypes, 'Select', 'of one shape', (draw, dtype) => {
    const shape = draw.anyShape();
    return {
      inputs: [draw.input(shape, 'bool'), draw.input(shape, dtype), draw.input(shape, dtype)],
      run: (condition, yes, no) => tf.where(condition, yes, no),
    };
  }),
  ...ofTypes(allTypes, 'Select', 'of shapes that broadcast', (draw, dtype) => {
    const shape = draw.anyShape(1);
    const part = (): number[] => draw.broadcasting(shape);
    return {
      inputs: [draw.input(part(), 'bool'), draw.input(shape, dtype), draw.input(part(), dtype)],
      run: (condition, yes, no) => tf.where(condition, yes, no),
    };
  }),
];

export const elementwiseCases: readonly KernelCase[] = [...unaries, ...choices];
