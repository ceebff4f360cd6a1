/** Kernels that move elements and compute none. */
import { typed, type GraphOutput } from '../runners/graph.js';
import type { Attributes, KernelInputs, Value } from '../tracing/program.js';
import {
  axisOf,
  dtypeOf,
  input,
  listed,
  numberOf,
  numbersOf,
  replaced,
  sliceOf,
  splitSizes,
  withAxis,
  withoutAxis,
} from '../tracing/shapes.js';
import { sizeOf, type TensorSpec } from '../tracing/tensor-spec.js';
import { tf } from '../tf.js';
import { index32, type Emission, type KernelDefinition } from './definition.js';

type ShapeOf = (inputs: KernelInputs, attributes: Attributes) => readonly number[];

/** The same elements in the same order under another shape. */
const sameElements = (name: string, shapeOf: ShapeOf): KernelDefinition => ({
  infer: (inputs, attributes) => [{ shape: shapeOf(inputs, attributes), dtype: input(inputs, name).dtype }],
  emit: ({ graph, operation: { inputs, attributes }, of }) => [
    graph.output('Reshape', [of(name), graph.integers(...shapeOf(inputs, attributes))], {
      T: typed(input(inputs, name).dtype),
      Tshape: index32,
    }),
  ],
});

export const reshape = sameElements('x', (inputs, attributes) =>
  tf.util.inferFromImplicitShape(numbersOf(attributes, 'shape'), sizeOf(input(inputs, 'x').shape)),
);

export const expandDims = sameElements('input', (inputs, attributes) => {
  const { shape } = input(inputs, 'input');
  return withAxis(shape, axisOf(attributes, shape.length + 1, 'dim'), 1);
});

export const transpose: KernelDefinition = {
  infer: (inputs, attributes) => {
    const { shape, dtype } = input(inputs, 'x');
    return [{ shape: numbersOf(attributes, 'perm').map((axis) => shape[axis] ?? 1), dtype }];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => [
    graph.output('Transpose', [of('x'), graph.integers(...numbersOf(attributes, 'perm'))], {
      T: typed(input(inputs, 'x').dtype),
      Tperm: index32,
    }),
  ],
};

const manyOf = ({ operation: { inputs }, of }: Emission): GraphOutput[] =>
  listed(inputs).map((_, index) => of(`${index}`));

export const concat: KernelDefinition = {
  infer: (inputs, attributes) => {
    const { shape, dtype } = input(inputs, '0');
    const axis = axisOf(attributes, shape.length);
    const length = listed(inputs).reduce((sum, { shape: part }) => sum + (part[axis] ?? 0), 0);
    return [{ shape: replaced(shape, axis, length), dtype }];
  },
  emit: (emission) => {
    const { graph, operation } = emission;
    const { shape, dtype } = input(operation.inputs, '0');
    const parts = manyOf(emission);
    return [
      graph.output('ConcatV2', [...parts, graph.integer(axisOf(operation.attributes, shape.length))], {
        T: typed(dtype),
        N: { i: parts.length },
        Tidx: index32,
      }),
    ];
  },
};

export const pack: KernelDefinition = {
  infer: (inputs, attributes) => {
    const { shape, dtype } = input(inputs, '0');
    return [{ shape: withAxis(shape, axisOf(attributes, shape.length + 1), listed(inputs).length), dtype }];
  },
  emit: (emission) => {
    const { graph, operation } = emission;
    const { shape, dtype } = input(operation.inputs, '0');
    const parts = manyOf(emission);
    const axis = axisOf(operation.attributes, shape.length + 1);
    return [graph.output('Pack', parts, { T: typed(dtype), N: { i: parts.length }, axis: { i: axis } })];
  },
};

const unpacked = (value: Value, attributes: Attributes): { axis: number; parts: readonly TensorSpec[] } => {
  const axis = axisOf(attributes, value.shape.length);
  const spec = { shape: withoutAxis(value.shape, axis), dtype: value.dtype };
  return { axis, parts: Array.from({ length: value.shape[axis] ?? 0 }, () => spec) };
};

export const unpack: KernelDefinition = {
  list: true,
  infer: (inputs, attributes) => unpacked(input(inputs, 'value'), attributes).parts,
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const value = input(inputs, 'value');
    const { axis, parts } = unpacked(value, attributes);
    const node = graph.node('Unpack', [of('value')], {
      T: typed(value.dtype),
      num: { i: parts.length },
      axis: { i: axis },
    });
    return parts.map((_, index) => ({ node, index }));
  },
};

export const slice: KernelDefinition = {
  infer: (inputs, attributes) => {
    const x = input(inputs, 'x');
    return [{ shape: sliceOf(x, attributes).size, dtype: x.dtype }];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const x = input(inputs, 'x');
    const { begin, size } = sliceOf(x, attributes);
    return [
      graph.output('Slice', [of('x'), graph.integers(...begin), graph.integers(...size)], {
        T: typed(x.dtype),
        Index: index32,
      }),
    ];
  },
};

export const split: KernelDefinition = {
  list: true,
  infer: (inputs, attributes) => {
    const x = input(inputs, 'x');
    const axis = axisOf(attributes, x.shape.length);
    return splitSizes(x, attributes, axis).map((size) => ({ shape: replaced(x.shape, axis, size), dtype: x.dtype }));
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const x = input(inputs, 'x');
    const axis = axisOf(attributes, x.shape.length);
    const sizes = splitSizes(x, attributes, axis);
    const node = graph.node('SplitV', [of('x'), graph.integers(...sizes), graph.integer(axis)], {
      T: typed(x.dtype),
      Tlen: index32,
      num_split: { i: sizes.length },
    });
    return sizes.map((_, index) => ({ node, index }));
  },
};

export const tile: KernelDefinition = {
  infer: (inputs, attributes) => {
    const { shape, dtype } = input(inputs, 'x');
    const repetitions = numbersOf(attributes, 'reps');
    return [{ shape: shape.map((length, axis) => length * (repetitions[axis] ?? 1)), dtype }];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => [
    graph.output('Tile', [of('x'), graph.integers(...numbersOf(attributes, 'reps'))], {
      T: typed(input(inputs, 'x').dtype),
      Tmultiples: index32,
    }),
  ],
};

const filled = (attributes: Attributes): TensorSpec => ({
  shape: numbersOf(attributes, 'shape'),
  dtype: dtypeOf(attributes['dtype'] ?? 'float32'),
});

export const fill: KernelDefinition = {
  infer: (_, attributes) => [filled(attributes)],
  emit: ({ graph, operation: { attributes } }) => {
    const { shape, dtype } = filled(attributes);
    const value = graph.scalar(numberOf(attributes, 'value'), dtype);
    return [graph.output('Fill', [graph.integers(...shape), value], { T: typed(dtype), index_type: index32 })];
  },
};

/** Pads with one constant. `paddings` are pairs of lengths before and after, one an axis. */
const paddingsOf = (attributes: Attributes): [number, number][] => {
  const { paddings } = attributes;
  return Array.isArray(paddings)
    ? paddings.map((pair: Attributes[string]): [number, number] => {
        const [before = 0, after = 0] = numbersOf({ pair }, 'pair');
        return [before, after];
      })
    : [];
};

export const pad: KernelDefinition = {
  infer: (inputs, attributes) => {
    const { shape, dtype } = input(inputs, 'x');
    const paddings = paddingsOf(attributes);
    return [
      { shape: shape.map((length, axis) => length + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0)), dtype },
    ];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const { dtype } = input(inputs, 'x');
    const pairs = paddingsOf(attributes);
    const paddings = graph.constant(Int32Array.from(pairs.flat()), { shape: [pairs.length, 2], dtype: 'int32' });
    const value = graph.scalar(numberOf(attributes, 'constantValue', 0), dtype);
    return [graph.output('PadV2', [of('x'), paddings, value], { T: typed(dtype), Tpaddings: index32 })];
  },
};

/** Numbers that the traced function captured or made. */
export const constant: KernelDefinition = {
  infer: () => [],
  emit: ({ graph, operation }) => {
    const { constant: numbers, outputs } = operation;
    return numbers === undefined ? [] : outputs.map((spec) => graph.constant(numbers, spec));
  },
};
