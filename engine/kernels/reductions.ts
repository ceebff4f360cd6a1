/** Kernels that reduce axes. */
import { typed } from '../runners/graph.js';
import { axesOf, axisOf, checkTypes, flagOf, input, reduced } from '../tracing/shapes.js';
import { index32, numbers, type KernelDefinition } from './definition.js';

/** The mean is a float, whatever it is of. */
export const mean: KernelDefinition = {
  infer: (inputs, attributes) => {
    const { shape } = input(inputs, 'x');
    return [{ shape: reduced(shape, axesOf(attributes, shape), flagOf(attributes, 'keepDims')), dtype: 'float32' }];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const { shape, dtype } = input(inputs, 'x');
    const types = { SrcT: typed(dtype), DstT: typed('float32') };
    const x = dtype === 'float32' ? of('x') : graph.output('Cast', [of('x')], types);
    return [
      graph.output('Mean', [x, graph.integers(...axesOf(attributes, shape))], {
        T: typed('float32'),
        Tidx: index32,
        keep_dims: { b: flagOf(attributes, 'keepDims') },
      }),
    ];
  },
};

/** @param untyped all and any know one element type only. */
export const reduction = (name: string, untyped = false): KernelDefinition => ({
  infer: (inputs, attributes, kernel) => {
    const x = input(inputs, 'x');
    checkTypes(kernel, [x], untyped ? ['bool'] : numbers);
    const { shape, dtype } = x;
    return [{ shape: reduced(shape, axesOf(attributes, shape), flagOf(attributes, 'keepDims')), dtype }];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const { shape, dtype } = input(inputs, 'x');
    return [
      graph.output(name, [of('x'), graph.integers(...axesOf(attributes, shape))], {
        ...(untyped ? {} : { T: typed(dtype) }),
        Tidx: index32,
        keep_dims: { b: flagOf(attributes, 'keepDims') },
      }),
    ];
  },
});

/** The index of an extreme value along one axis; the first of equal ones. */
export const argument = (name: string): KernelDefinition => ({
  infer: (inputs, attributes) => {
    const { shape } = input(inputs, 'x');
    return [{ shape: reduced(shape, [axisOf(attributes, shape.length)], false), dtype: 'int32' }];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const { shape, dtype } = input(inputs, 'x');
    return [
      graph.output(name, [of('x'), graph.integer(axisOf(attributes, shape.length))], {
        T: typed(dtype),
        Tidx: index32,
        output_type: index32,
      }),
    ];
  },
});

/** Sums or products of the elements so far along one axis. */
export const cumulative = (name: string): KernelDefinition => ({
  infer: (inputs, _, kernel) => {
    const x = input(inputs, 'x');
    checkTypes(kernel, [x], numbers);
    return [x];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const { shape, dtype } = input(inputs, 'x');
    return [
      graph.output(name, [of('x'), graph.integer(axisOf(attributes, shape.length))], {
        T: typed(dtype),
        Tidx: index32,
        exclusive: { b: flagOf(attributes, 'exclusive') },
        reverse: { b: flagOf(attributes, 'reverse') },
      }),
    ];
  },
});

/** Sums of many tensors of one shape. */
export const sumOfMany: KernelDefinition = {
  infer: (inputs, _, kernel) => {
    checkTypes(kernel, Object.values(inputs), numbers);
    return [input(inputs, '0')];
  },
  emit: ({ graph, operation: { inputs }, of }) => {
    const names = Object.keys(inputs);
    return [
      graph.output(
        'AddN',
        names.map((name) => of(name)),
        { T: typed(input(inputs, '0').dtype), N: { i: names.length } },
      ),
    ];
  },
};
