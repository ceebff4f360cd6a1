/**
 * A barrier: values that are not available before others are. What is computed from them can neither run earlier nor be merged
 * with the same computation from the values themselves. In a graph that is a control dependency. XLA drops those, and removes its own
 * optimization barrier before it merges equal computations; there, each value goes through a select whose condition is never true, but
 * depends on the awaited values, so that XLA cannot know it. Both hand on the same bits, whatever the awaited values are.
 */
import { tensorflowType, typed, type Graph, type GraphOutput } from '../runners/graph.js';
import { listed, numberOf } from '../tracing/shapes.js';
import type { Composite } from './composite.js';
import { index32, type KernelDefinition } from './definition.js';

/** The attribute that says how many inputs pass; they wait for the other inputs, all float32. */
const passing = 'values';

/** Inputs '0', '1', …; one result for each that passes. */
export const barrierKernel: Composite & KernelDefinition = {
  list: true,
  name: 'Barrier',
  eager: (inputs, attributes) =>
    Object.values(inputs)
      .slice(0, numberOf(attributes, passing))
      .map((tensor) => tensor.clone()),
  infer: (inputs, attributes) =>
    listed(inputs)
      .slice(0, numberOf(attributes, passing))
      .map(({ shape, dtype }) => ({ shape, dtype })),
  emit: ({ graph, operation: { inputs, attributes, outputs }, of }) => {
    const awaited = listed(inputs)
      .slice(outputs.length)
      .map(({ shape }, index) => ({ shape, output: of(`${outputs.length + index}`) }));
    if (attributes['xla'] === true) {
      const never = neverTrue(graph, awaited);
      return outputs.map(({ dtype }, index) =>
        graph.output('SelectV2', [never, graph.scalar(0, dtype), of(`${index}`)], { T: typed(dtype) }),
      );
    }
    const control = [...new Set(awaited.map(({ output }) => output.node))];
    return outputs.map(({ dtype }, index) => ({
      node: graph.node('Identity', [of(`${index}`)], { T: typed(dtype) }, { control }),
      index: 0,
    }));
  },
};

interface Awaited {
  readonly shape: readonly number[];
  readonly output: GraphOutput;
}

/** Is the greatest of the first elements of all awaited values greater than infinity? Nothing is, nor is NaN. */
function neverTrue(graph: Graph, awaited: readonly Awaited[]): GraphOutput {
  const T = { type: tensorflowType.float32 };
  const firsts = awaited.map(({ shape, output }) => {
    const begin = graph.integers(...shape.map(() => 0));
    const one = graph.integers(...shape.map(() => 1));
    const mask = { i: 2 ** shape.length - 1 };
    return graph.output('StridedSlice', [output, begin, one, one], { T, Index: index32, shrink_axis_mask: mask });
  });
  const all = graph.output('Pack', firsts, { T, N: { i: firsts.length }, axis: { i: 0 } });
  const greatest = graph.output('Max', [all, graph.integers(0)], { T, Tidx: index32 });
  return graph.output('Greater', [greatest, graph.scalar(Infinity)], { T });
}
