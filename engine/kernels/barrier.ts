/**
 * A barrier: values that are not there before another one is. What is computed from them can neither run earlier nor be
 * merged with the same computation from the values themselves. In a graph that is a control dependency; XLA drops those, so
 * there all values pass one optimization barrier together.
 */
import { typed, tensorflowType } from '../runners/graph.js';
import { listed } from '../tracing/shapes.js';
import type { Composite } from './composite.js';
import type { KernelDefinition } from './definition.js';

/** Inputs '0', '1', …, and as the last one what they wait for; the results are all of them. */
export const barrierKernel: Composite & KernelDefinition = {
  list: true,
  name: 'Barrier',
  eager: (inputs) => Object.values(inputs).map((tensor) => tensor.clone()),
  infer: (inputs) => listed(inputs).map(({ shape, dtype }) => ({ shape, dtype })),
  emit: ({ graph, operation: { inputs, attributes }, of }) => {
    const specs = listed(inputs);
    const values = specs.map((_, index) => of(`${index}`));
    const dependency = values.at(-1);
    if (dependency === undefined) return [];
    if (attributes['xla'] === true) {
      const T = { list: { type: specs.map(({ dtype }) => tensorflowType[dtype]) } };
      const node = graph.node('XlaOptimizationBarrier', values, { T });
      return specs.map((_, index) => ({ node, index }));
    }
    const control = [dependency.node];
    return specs.map(({ dtype }, index) =>
      index === specs.length - 1
        ? dependency
        : { node: graph.node('Identity', [of(`${index}`)], { T: typed(dtype) }, { control }), index: 0 },
    );
  },
};
