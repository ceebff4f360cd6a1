/** Kernels that compute each element from the elements at the same place. */
import { typed } from '../runners/graph.js';
import { broadcast, dtypeOf, input, numberOf } from '../tracing/shapes.js';
import type { DataType } from '../tracing/tensor-spec.js';
import type { KernelDefinition } from './definition.js';

interface Logic {
  /** The element type of the result, where it is not that of the inputs. */
  readonly result?: DataType;
  /** TensorFlow's logical operations have no type attribute. */
  readonly untyped?: true;
}

export const binary = (name: string, { result, untyped }: Logic = {}): KernelDefinition => ({
  infer: (inputs) => {
    const [a, b] = [input(inputs, 'a'), input(inputs, 'b')];
    return [{ shape: broadcast(a.shape, b.shape), dtype: result ?? a.dtype }];
  },
  emit: ({ graph, operation: { inputs }, of }) => [
    graph.output(name, [of('a'), of('b')], untyped === true ? {} : { T: typed(input(inputs, 'a').dtype) }),
  ],
});

export const unary = (name: string, { result, untyped }: Logic = {}): KernelDefinition => ({
  infer: (inputs) => {
    const { shape, dtype } = input(inputs, 'x', 'logits');
    return [{ shape, dtype: result ?? dtype }];
  },
  emit: ({ graph, operation: { inputs }, of }) => [
    graph.output(name, [of('x', 'logits')], untyped === true ? {} : { T: typed(input(inputs, 'x', 'logits').dtype) }),
  ],
});

export const cast: KernelDefinition = {
  infer: (inputs, { dtype }) => [{ shape: input(inputs, 'x').shape, dtype: dtypeOf(dtype) }],
  emit: ({ graph, operation: { inputs, attributes }, of }) => [
    graph.output('Cast', [of('x')], {
      SrcT: typed(input(inputs, 'x').dtype),
      DstT: typed(dtypeOf(attributes['dtype'])),
    }),
  ],
};

export const select: KernelDefinition = {
  infer: (inputs) => {
    const [condition, t, e] = [input(inputs, 'condition'), input(inputs, 't'), input(inputs, 'e')];
    return [{ shape: broadcast(condition.shape, t.shape, e.shape), dtype: t.dtype }];
  },
  emit: ({ graph, operation: { inputs }, of }) => [
    graph.output('SelectV2', [of('condition'), of('t'), of('e')], { T: typed(input(inputs, 't').dtype) }),
  ],
};

/** tfjs's gradient of relu: 1 above zero, `alpha` elsewhere. */
export const step: KernelDefinition = {
  infer: (inputs) => [input(inputs, 'x')],
  emit: ({ graph, operation: { attributes, inputs }, of }) => {
    const { dtype } = input(inputs, 'x');
    const above = graph.output('Greater', [of('x'), graph.scalar(0, dtype)], { T: typed(dtype) });
    const alpha = graph.scalar(numberOf(attributes, 'alpha', 0), dtype);
    return [graph.output('SelectV2', [above, graph.scalar(1, dtype), alpha], { T: typed(dtype) })];
  },
};

export const clip: KernelDefinition = {
  infer: (inputs) => [input(inputs, 'x')],
  emit: ({ graph, operation: { attributes, inputs }, of }) => {
    const T = typed(input(inputs, 'x').dtype);
    const { dtype } = input(inputs, 'x');
    const low = graph.scalar(numberOf(attributes, 'clipValueMin'), dtype);
    const high = graph.scalar(numberOf(attributes, 'clipValueMax'), dtype);
    return [graph.output('Minimum', [graph.output('Maximum', [of('x'), low], { T }), high], { T })];
  },
};
