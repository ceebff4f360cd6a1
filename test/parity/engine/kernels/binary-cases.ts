/** Kernels of two operands that work element by element, with every way of broadcasting. */
import { tf } from '../../../../engine/tf.js';
import { drawn, type Call, type KernelCase } from './cases.js';
import type { Draw, Range } from './draw.js';

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
type Shapes = readonly [a: readonly number[], b: readonly number[]];

const positive: Range = [0.2, 4];

const swapped = ([a, b]: Shapes): Shapes => [b, a];

const twice = (shape: readonly number[]): Shapes => [shape, shape];

const narrowed = (draw: Draw): Shapes => {
  const shape = draw.anyShape(1);
  return [shape, draw.broadcasting(shape)];
};

/** Both of one shape, and either of them broadcast to the other. */
const ways: readonly (readonly [what: string, shapes: (draw: Draw) => Shapes])[] = [
  ['of one shape', (draw) => twice(draw.anyShape())],
  ['that broadcasts b', narrowed],
  ['that broadcasts a', (draw) => swapped(narrowed(draw))],
];

const binary = (kernel: string, run: Binary, options: Partial<Call> = {}, range: Range = [-3, 3]): KernelCase[] =>
  ways.flatMap(([what, shapes]) =>
    drawn(
      kernel,
      what,
      (draw) => {
        const [a, b] = shapes(draw);
        return { inputs: [draw.input(a, 'float32', range), draw.input(b, 'float32', range)], run, ...options };
      },
      2,
    ),
  );

/** tfjs's gradient of these does not sum over broadcast axes: compared where there are none. */
const withoutBroadcast = (cases: readonly KernelCase[]): KernelCase[] =>
  cases.map((one) => {
    const [a, b] = one.inputs.map(({ spec }) => spec.shape.join());
    return { ...one, gradient: a === b };
  });

const integers = (kernel: string, run: Binary, [low, high]: Range = [-5, 5]): KernelCase[] =>
  ways.flatMap(([what, shapes]) =>
    drawn(
      kernel,
      `${what}, int32`,
      (draw) => {
        const [a, b] = shapes(draw);
        // No quotient by zero, no power below one.
        return { inputs: [draw.input(a, 'int32', [low, high]), draw.input(b, 'int32', [Math.max(low, 1), high])], run };
      },
      1,
    ),
  );

const truths = (kernel: string, run: Binary): KernelCase[] =>
  ways.flatMap(([what, shapes]) =>
    drawn(
      kernel,
      `${what}, bool`,
      (draw) => ({ inputs: shapes(draw).map((shape) => draw.input(shape, 'bool')), run }),
      1,
    ),
  );

const grad = { gradient: true };

export const binaryCases: readonly KernelCase[] = [
  ...binary('Add', tf.add, grad),
  ...binary('Equal', (a, b) => tf.equal(tf.round(a), tf.round(b))),
  ...binary('FloorDiv', tf.floorDiv, { ...grad, tolerance: 1e-4 }, positive),
  ...binary('Greater', tf.greater),
  ...binary('GreaterEqual', (a, b) => tf.greaterEqual(tf.round(a), tf.round(b)), grad),
  ...binary('Less', tf.less),
  ...binary('LessEqual', (a, b) => tf.lessEqual(tf.round(a), tf.round(b))),
  ...withoutBroadcast(binary('Maximum', tf.maximum)),
  ...withoutBroadcast(binary('Minimum', tf.minimum)),
  ...binary('Mod', tf.mod, { ...grad, tolerance: 1e-4 }, positive),
  ...binary('Multiply', tf.mul, grad),
  ...binary('NotEqual', (a, b) => tf.notEqual(tf.round(a), tf.round(b))),
  ...binary('Pow', tf.pow, { ...grad, tolerance: 1e-4 }, positive),
  ...binary('RealDiv', tf.div, { ...grad, tolerance: 1e-4 }, positive),
  ...withoutBroadcast(binary('SquaredDifference', tf.squaredDifference)),
  ...binary('Sub', tf.sub, grad),
  ...integers('Add', tf.add),
  ...integers('Equal', tf.equal),
  ...integers('FloorDiv', tf.floorDiv),
  ...integers('Greater', tf.greater),
  ...integers('GreaterEqual', tf.greaterEqual),
  ...integers('Less', tf.less),
  ...integers('LessEqual', tf.lessEqual),
  ...integers('Maximum', tf.maximum),
  ...integers('Minimum', tf.minimum),
  ...integers('Mod', tf.mod),
  ...integers('Multiply', tf.mul),
  ...integers('NotEqual', tf.notEqual),
  ...integers('Pow', tf.pow, [0, 4]),
  ...integers('SquaredDifference', tf.squaredDifference),
  ...integers('Sub', tf.sub),
  ...truths('Equal', tf.equal),
  ...truths('NotEqual', tf.notEqual),
  ...truths('LogicalAnd', tf.logicalAnd),
  ...truths('LogicalOr', tf.logicalOr),
];
