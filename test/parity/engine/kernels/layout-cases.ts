/** Kernels that move elements: any rank, axis, size and element type. */
import { tf } from '../../../../engine/tf.js';
import type { DataType } from '../../../../engine/tracing/tensor-spec.js';
import { allTypes, drawn, ofTypes, type Call, type KernelCase } from './cases.js';
import type { Draw } from './draw.js';

const moving = (kernel: string, what: string, make: Parameters<typeof ofTypes>[3]): KernelCase[] =>
  ofTypes(allTypes, kernel, what, make);

/** Tensors of one shape but for the length of one axis. */
const joined = (draw: Draw, parts: number, dtype: DataType): Call => {
  const shape = draw.anyShape(1);
  const axis = draw.axis(shape.length);
  const part = (): number[] => shape.with(axis, draw.integer(0, 3));
  return {
    inputs: Array.from({ length: parts }, () => draw.input(part(), dtype)),
    run: (...tensors) => tf.concat(tensors, axis),
  };
};

/** The same number of elements: neighbours joined in any order of the axes, one length perhaps left to be found. */
const reshaped = (draw: Draw, shape: readonly number[]): number[] => {
  const lengths = draw.shuffled(shape).reduce<number[]>((done, length) => {
    const last = done.at(-1);
    return last !== undefined && draw.truth() ? done.with(-1, last * length) : [...done, length];
  }, []);
  return lengths.length > 0 && !shape.includes(0) && draw.truth()
    ? lengths.with(draw.axis(lengths.length), -1)
    : lengths;
};

const shaping: KernelCase[] = [
  ...moving('ExpandDims', 'at any place', (draw, dtype) => {
    const shape = draw.anyShape();
    const axis = draw.axis(shape.length + 1);
    return { inputs: [draw.input(shape, dtype)], run: (x) => tf.expandDims(x, axis) };
  }),
  ...moving('Reshape', 'to any shape', (draw, dtype) => {
    const shape = draw.anyShape();
    const target = reshaped(draw, shape);
    return { inputs: [draw.input(shape, dtype)], run: (x) => tf.reshape(x, target) };
  }),
  ...drawn('Reshape', 'to a scalar', (draw) => ({
    inputs: [draw.input(Array.from({ length: draw.integer(1, 3) }, () => 1))],
    run: (x) => tf.reshape(x, []),
    gradient: true,
  })),
  ...moving('Transpose', 'by any permutation', (draw, dtype) => {
    const shape = draw.anyShape(2, 5);
    const permutation = draw.shuffled([...shape.keys()]);
    return { inputs: [draw.input(shape, dtype)], run: (x) => tf.transpose(x, permutation) };
  }),
  ...drawn('Transpose', 'that turns all axes over', (draw) => ({
    inputs: [draw.input(draw.anyShape(2))],
    run: (x) => tf.transpose(x),
    gradient: true,
  })),
];

const joining: KernelCase[] = [
  ...moving('Concat', 'of some', (draw, dtype) => joined(draw, draw.integer(2, 4), dtype)),
  ...moving('Concat', 'of many', (draw, dtype) => joined(draw, 12, dtype)),
  ...moving('Pack', 'along a new axis', (draw, dtype) => {
    const shape = draw.anyShape(0, 3);
    const axis = draw.axis(shape.length + 1);
    const inputs = Array.from({ length: draw.integer(1, 4) }, () => draw.input(shape, dtype));
    return { inputs, run: (...tensors) => tf.stack(tensors, axis) };
  }),
  ...moving('PadV2', 'with a number', (draw, dtype) => {
    const shape = draw.anyShape(1);
    const paddings = shape.map((): [number, number] => [draw.integer(0, 2), draw.integer(0, 2)]);
    const value = dtype === 'float32' ? 0.5 : 1;
    return { inputs: [draw.input(shape, dtype)], run: (x) => tf.pad(x, paddings, value) };
  }),
  ...moving('Tile', 'along all axes', (draw, dtype) => {
    const shape = draw.anyShape(1);
    const repetitions = shape.map(() => draw.integer(1, 3));
    return { inputs: [draw.input(shape, dtype)], run: (x) => tf.tile(x, repetitions) };
  }),
  ...moving('Tile', 'as tfjs broadcasts', (draw, dtype) => {
    const shape = draw.anyShape(1).with(0, draw.integer(2, 4));
    const narrow = draw.broadcasting(shape.with(0, 1));
    return { inputs: [draw.input(narrow, dtype)], run: (x) => tf.broadcastTo(x, shape) };
  }),
];

const parting: KernelCase[] = [
  ...moving('Slice', 'of any part', (draw, dtype) => {
    const shape = draw.anyShape(1);
    const begin = shape.map((length) => draw.integer(0, length - 1));
    const size = shape.map((length, axis) => (draw.uniform() < 0.3 ? -1 : draw.integer(0, length - begin[axis]!)));
    return { inputs: [draw.input(shape, dtype)], run: (x) => tf.slice(x, begin, size) };
  }),
  ...moving('Slice', 'of rows', (draw, dtype) => {
    const shape = draw.someShape();
    const begin = draw.integer(0, shape[0]! - 1);
    const rows = draw.integer(1, shape[0]! - begin);
    return { inputs: [draw.input(shape, dtype)], run: (x) => tf.slice(x, begin, rows) };
  }),
  ...moving('SplitV', 'in equal parts', (draw, dtype) => {
    const shape = draw.anyShape(1);
    const axis = draw.axis(shape.length);
    const parts = draw.integer(2, 4);
    return {
      inputs: [draw.input(shape.with(axis, shape.at(axis)! * parts), dtype)],
      run: (x) => tf.split(x, parts, axis),
    };
  }),
  ...moving('SplitV', 'in named sizes', (draw, dtype) => {
    const shape = draw.anyShape(1);
    const axis = draw.axis(shape.length);
    const sizes = draw.shape(draw.integer(2, 4));
    const length = sizes.reduce((sum, size) => sum + size, 0);
    // tfjs finds no size that is left out at the front.
    const named = draw.truth() ? sizes : sizes.with(draw.integer(1, sizes.length - 1), -1);
    return { inputs: [draw.input(shape.with(axis, length), dtype)], run: (x) => tf.split(x, named, axis) };
  }),
  ...moving('Unpack', 'along any axis', (draw, dtype) => {
    const rank = draw.integer(1, 4);
    const axis = draw.axis(rank);
    const shape = draw.shape(rank).with(axis, draw.integer(2, 4));
    return { inputs: [draw.input(shape, dtype)], run: (x) => tf.unstack(x, axis) };
  }),
  // tfjs's tape loses the one result of a kernel that makes a list.
  ...drawn('SplitV', 'into one', (draw) => ({
    inputs: [draw.input(draw.anyShape(1))],
    run: (x) => tf.split(x, 1, 0),
  })),
  ...drawn('Unpack', 'into one', (draw) => ({
    inputs: [draw.input([1, ...draw.anyShape(0, 3)])],
    run: (x) => tf.unstack(x),
  })),
];

/** Kernels without an operand, used by one that has some: a program has an input. */
const making: KernelCase[] = [
  ...allTypes.flatMap((dtype) =>
    drawn('Constant', `that a function holds, ${dtype}`, (draw) => {
      const shape = draw.anyShape();
      const { numbers } = draw.input(shape, dtype);
      return {
        inputs: [draw.input(shape, dtype)],
        run: (x) => tf.concat([x.flatten(), tf.tensor(numbers, shape, dtype).flatten()]),
      };
    }),
  ),
  ...allTypes.flatMap((dtype) =>
    drawn('Fill', `of any shape, ${dtype}`, (draw) => {
      const shape = draw.anyShape();
      const value = dtype === 'float32' ? draw.uniform() : dtype === 'int32' ? draw.integer(-9, 9) : draw.integer(0, 1);
      return {
        inputs: [draw.input(shape, dtype)],
        run: (x) => tf.concat([x.flatten(), tf.fill([...shape], value, dtype as 'float32').flatten()]),
      };
    }),
  ),
  ...(['float32', 'int32'] as const).flatMap((dtype) =>
    drawn(
      'Range',
      `forwards and backwards, ${dtype}`,
      (draw) => {
        const step = (dtype === 'int32' ? draw.integer(1, 4) : draw.integer(1, 30) / 10) * (draw.truth() ? 1 : -1);
        const start = draw.integer(-5, 5);
        const stop = start + (dtype === 'int32' ? draw.integer(-9, 9) : step * draw.integer(-2, 9));
        return { inputs: [draw.input([], dtype)], run: (x) => tf.add(x, tf.range(start, stop, step, dtype)) };
      },
      8,
    ),
  ),
  ...(['float32', 'int32'] as const).flatMap((dtype) =>
    drawn('Range', `backwards unless told otherwise, ${dtype}`, (draw) => {
      const [start, stop] = [draw.integer(1, 6), draw.integer(-3, 0)];
      return { inputs: [draw.input([], dtype)], run: (x) => tf.add(x, tf.range(start, stop, undefined, dtype)) };
    }),
  ),
];

export const layoutCases: readonly KernelCase[] = [...shaping, ...joining, ...parting, ...making];
