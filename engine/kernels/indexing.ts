/** Kernels that pick, order or collect elements by index. */
import { typed, type GraphOutput } from '../runners/graph.js';
import type { Attributes } from '../tracing/program.js';
import { axisOf, checkTypes, input, numberOf, numbersOf } from '../tracing/shapes.js';
import { index32, numbers, type KernelDefinition } from './definition.js';

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
  infer: (inputs, attributes, kernel) => {
    const [x, segments] = [input(inputs, 'x'), input(inputs, 'segmentIds')];
    checkTypes(kernel, [x], ['float32']);
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
  infer: (inputs, attributes, kernel) => {
    const x = input(inputs, 'x');
    checkTypes(kernel, [x], numbers);
    const { shape, dtype } = x;
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
  infer: (inputs, attributes, kernel) => {
    const updates = input(inputs, 'updates');
    checkTypes(kernel, [updates], numbers);
    return [{ shape: numbersOf(attributes, 'shape'), dtype: updates.dtype }];
  },
  emit: ({ graph, operation: { inputs, attributes }, of }) => [
    graph.output('ScatterNd', [of('indices'), of('updates'), graph.integers(...numbersOf(attributes, 'shape'))], {
      T: typed(input(inputs, 'updates').dtype),
      Tindices: index32,
    }),
  ],
};

/** As tfjs counts: steps of one and less, also its default, are taken where the end lies before the start. */
function rangeOf(attributes: Attributes): { start: number; step: number; length: number } {
  const [start, stop] = [numberOf(attributes, 'start'), numberOf(attributes, 'stop')];
  const step = numberOf(attributes, 'step', 1);
  const steps = Math.ceil((stop - start) / step);
  if (steps >= 0 || step < 0 || step > 1) return { start, step, length: Math.max(0, steps) };
  return { start, step: step === 1 ? -1 : step, length: -steps };
}

export const range: KernelDefinition = {
  infer: (_, attributes) => [
    { shape: [rangeOf(attributes).length], dtype: attributes['dtype'] === 'int32' ? 'int32' : 'float32' },
  ],
  emit: ({ graph, operation: { attributes, outputs } }) => {
    const { start, step, length } = rangeOf(attributes);
    const integers = (...ends: number[]): GraphOutput => {
      const constants = ends.map((end) => graph.integer(end));
      return graph.output('Range', constants, { Tidx: index32 });
    };
    if (outputs[0]?.dtype === 'int32') return [integers(start, start + step * length, step)];
    // TensorFlow's own count of float steps may be off by one.
    const T = typed('float32');
    const steps = graph.output('Cast', [integers(0, length, 1)], { SrcT: index32, DstT: T });
    const away = graph.output('Mul', [steps, graph.scalar(step)], { T });
    return [graph.output('AddV2', [away, graph.scalar(start)], { T })];
  },
};
