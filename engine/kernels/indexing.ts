/** Kernels that pick, order or collect elements by index. */
import { typed } from '../runners/graph.js';
import { axisOf, checkTypes, input, numberOf, numbersOf } from '../tracing/shapes.js';
import { index32, type KernelDefinition } from './definition.js';

export const gather: KernelDefinition = {
  infer: (inputs, attributes) => {
    const [x, indices] = [input(inputs, 'x'), input(inputs, 'indices')];
    const axis = axisOf(attributes, x.shape.length);
    const picked = indices.shape.slice(numberOf(attributes, 'batchDims', 0));
    return [{ shape: [...x.shape.slice(0, axis), ...picked, ...x.shape.slice(axis + 1)], dtype: x.dtype }];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const { shape, dtype } = input(inputs, 'x');
    return [
      graph.output('GatherV2', [of('x'), of('indices'), graph.integer(axisOf(attributes, shape.length))], {
        Tparams: typed(dtype),
        Tindices: index32,
        Taxis: index32,
        batch_dims: { i: numberOf(attributes, 'batchDims', 0) },
      }),
    ];
  },
};

export const segmentSum: KernelDefinition = {
  infer: (inputs, attributes) => {
    const [x, segments] = [input(inputs, 'x'), input(inputs, 'segmentIds')];
    checkTypes('UnsortedSegmentSum', [x], ['float32']);
    return [{ shape: [numberOf(attributes, 'numSegments'), ...x.shape.slice(segments.shape.length)], dtype: x.dtype }];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => [
    graph.output(
      'UnsortedSegmentSum',
      [of('x'), of('segmentIds'), graph.integer(numberOf(attributes, 'numSegments'))],
      { T: typed(input(inputs, 'x').dtype), Tindices: index32, Tnumsegments: index32 },
    ),
  ],
};

/** The largest values of the last axis and their indices; of equal values the lower index first. */
export const topK: KernelDefinition = {
  list: true,
  infer: (inputs, attributes) => {
    const { shape, dtype } = input(inputs, 'x');
    const kept = [...shape.slice(0, -1), numberOf(attributes, 'k')];
    return [
      { shape: kept, dtype },
      { shape: kept, dtype: 'int32' },
    ];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const node = graph.node('TopKV2', [of('x'), graph.integer(numberOf(attributes, 'k'))], {
      T: typed(input(inputs, 'x').dtype),
      Tk: index32,
      index_type: index32,
      sorted: { b: true },
    });
    return [
      { node, index: 0 },
      { node, index: 1 },
    ];
  },
};

export const gatherNd: KernelDefinition = {
  infer: (inputs) => {
    const [params, indices] = [input(inputs, 'params'), input(inputs, 'indices')];
    const depth = indices.shape.at(-1) ?? 0;
    return [{ shape: [...indices.shape.slice(0, -1), ...params.shape.slice(depth)], dtype: params.dtype }];
  },
  emit: ({ graph, operation: { inputs }, of }) => [
    graph.output('GatherNd', [of('params'), of('indices')], {
      Tparams: typed(input(inputs, 'params').dtype),
      Tindices: index32,
    }),
  ],
};

export const scatterNd: KernelDefinition = {
  infer: (inputs, attributes) => [{ shape: numbersOf(attributes, 'shape'), dtype: input(inputs, 'updates').dtype }],
  emit: ({ graph, operation: { inputs, attributes }, of }) => [
    graph.output('ScatterNd', [of('indices'), of('updates'), graph.integers(...numbersOf(attributes, 'shape'))], {
      T: typed(input(inputs, 'updates').dtype),
      Tindices: index32,
    }),
  ],
};

export const range: KernelDefinition = {
  infer: (_, attributes) => {
    const [start, stop] = [numberOf(attributes, 'start'), numberOf(attributes, 'stop')];
    const length = Math.max(0, Math.ceil((stop - start) / numberOf(attributes, 'step', 1)));
    return [{ shape: [length], dtype: attributes['dtype'] === 'int32' ? 'int32' : 'float32' }];
  },
  emit: ({ graph, operation: { attributes, outputs } }) => {
    const dtype = outputs[0]?.dtype ?? 'float32';
    const [start, stop] = [numberOf(attributes, 'start'), numberOf(attributes, 'stop')];
    const ends = [start, stop, numberOf(attributes, 'step', 1)].map((end) => graph.scalar(end, dtype));
    return [graph.output('Range', ends, { Tidx: typed(dtype) })];
  },
};
