/** Kernels that compute each element from the elements at the same place. */
import { typed } from '../runners/graph.js';
import { broadcast, checkTypes, dtypeOf, input, numberOf } from '../tracing/shapes.js';
import type { DataType } from '../tracing/tensor-spec.js';
import { numbers, type KernelDefinition } from './definition.js';

interface Types {
  /** Element types that it takes. Default: float32 and int32 for two operands, float32 for one. */
  readonly takes?: readonly DataType[];
  /** The element type of the result, where it is not that of the operands. */
  readonly result?: DataType;
  /** TensorFlow's logical operations have no type attribute. */
  readonly untyped?: true;
}

export const binary = (name: string, { takes = numbers, result, untyped }: Types = {}): KernelDefinition => ({
  infer: (inputs, _, kernel) => {
    const [a, b] = [input(inputs, 'a'), input(inputs, 'b')];
    checkTypes(kernel, [a, b], takes);
    return [{ shape: broadcast(a.shape, b.shape), dtype: result ?? a.dtype }];
  },
  emit: ({ graph, operation: { inputs }, of }) => [
    graph.output(name, [of('a'), of('b')], untyped === true ? {} : { T: typed(input(inputs, 'a').dtype) }),
  ],
});

/** tfjs's quotient of floats that is rounded down is an integer. */
export const floorDivide: KernelDefinition = {
  infer: (inputs, _, kernel) => {
    const [a, b] = [input(inputs, 'a'), input(inputs, 'b')];
    checkTypes(kernel, [a, b], numbers);
    return [{ shape: broadcast(a.shape, b.shape), dtype: 'int32' }];
  },
  emit: (emission) => {
    const { dtype } = input(emission.operation.inputs, 'a');
    const quotients = binary('FloorDiv').emit(emission);
    if (dtype === 'int32') return quotients;
    const types = { SrcT: typed('float32'), DstT: typed('int32') };
    return quotients.map((quotient) => emission.graph.output('Cast', [quotient], types));
  },
};

export const unary = (name: string, { takes = ['float32'], result, untyped }: Types = {}): KernelDefinition => ({
  infer: (inputs, _, kernel) => {
    const x = input(inputs, 'x', 'logits');
    checkTypes(kernel, [x], takes);
    return [{ shape: x.shape, dtype: result ?? x.dtype }];
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

/** One operand of numbers, and a result like it. */
const sameNumbers: KernelDefinition['infer'] = (inputs, _, kernel) => {
  const x = input(inputs, 'x');
  checkTypes(kernel, [x], numbers);
  return [x];
};

/** tfjs's gradient of relu: 1 above zero, `alpha` elsewhere. */
export const step: KernelDefinition = {
  infer: sameNumbers,
  emit: ({ graph, operation: { attributes, inputs }, of }) => {
    const { dtype } = input(inputs, 'x');
    const above = graph.output('Greater', [of('x'), graph.scalar(0, dtype)], { T: typed(dtype) });
    const alpha = graph.scalar(numberOf(attributes, 'alpha', 0), dtype);
    return [graph.output('SelectV2', [above, graph.scalar(1, dtype), alpha], { T: typed(dtype) })];
  },
};

export const clip: KernelDefinition = {
  infer: sameNumbers,
  emit: ({ graph, operation: { attributes, inputs }, of }) => {
    const T = typed(input(inputs, 'x').dtype);
    const { dtype } = input(inputs, 'x');
    const low = graph.scalar(numberOf(attributes, 'clipValueMin'), dtype);
    const high = graph.scalar(numberOf(attributes, 'clipValueMax'), dtype);
    return [graph.output('Minimum', [graph.output('Maximum', [of('x'), low], { T }), high], { T })];
  },
};
