/**
 * Matrix products. Under bfloat16 the operands of every product are rounded to bfloat16, its result too, before it is cast to
 * float32 again; nothing else of a program changes.
 */
import { tensorflowType, typed, type Graph, type GraphOutput, type GraphType } from '../runners/graph.js';
import type { Value } from '../tracing/program.js';
import { checkTypes, flagOf, input, productShape } from '../tracing/shapes.js';
import { index32, type KernelDefinition } from './definition.js';

const isOne = (length: number): boolean => length === 1;

export const product: KernelDefinition = {
  infer: (inputs, attributes, kernel) => {
    const [a, b] = [input(inputs, 'a'), input(inputs, 'b')];
    checkTypes(kernel, [a, b], ['float32']);
    return [{ shape: productShape(a, b, attributes), dtype: 'float32' }];
  },
  emit: ({ graph, operation: { inputs, attributes, outputs }, of }) => {
    const [a, b] = [input(inputs, 'a'), input(inputs, 'b')];
    const transposed = [flagOf(attributes, 'transposeA'), flagOf(attributes, 'transposeB')] as const;
    // One matrix each, under leading dimensions of one: the plain kernel is faster than the batched one.
    const plain = [a, b].every(({ shape }) => shape.slice(0, -2).every(isOne));
    const left = operand(graph, of('a'), a, plain);
    const right = operand(graph, of('b'), b, plain);
    const T = { type: operandType(graph) };
    const [tA, tB] = [{ b: transposed[0] }, { b: transposed[1] }];
    const result = plain
      ? graph.output('MatMul', [left, right], { T, transpose_a: tA, transpose_b: tB })
      : graph.output('BatchMatMulV2', [left, right], { T, adj_x: tA, adj_y: tB });
    const wide = asFloat32(graph, result);
    const shape = outputs[0]?.shape ?? [];
    return [plain && shape.length > 2 ? reshape(graph, wide, shape) : wide];
  },
};

const operandType = (graph: Graph): GraphType => tensorflowType[graph.precision];

function operand(graph: Graph, value: GraphOutput, { shape }: Value, plain: boolean): GraphOutput {
  const matrix = plain && shape.length > 2 ? reshape(graph, value, shape.slice(-2)) : value;
  return graph.precision === 'bfloat16' ? graph.converted(matrix, 'float32', 'bfloat16') : matrix;
}

const asFloat32 = (graph: Graph, value: GraphOutput): GraphOutput =>
  graph.precision === 'bfloat16' ? graph.converted(value, 'bfloat16', 'float32') : value;

const reshape = (graph: Graph, value: GraphOutput, shape: readonly number[]): GraphOutput =>
  graph.output('Reshape', [value, graph.integers(...shape)], { T: typed('float32'), Tshape: index32 });
