/**
 * What TensorFlow calls the results of its operations (the output arguments of their registrations): inside a function a
 * result is referred to by that name.
 */

/** Operations whose only result is not called `output`. */
const single: Readonly<Record<string, string>> = {
  z:
    'AddV2 Sub Mul MulNoNan RealDiv FloorDiv FloorMod Maximum Minimum Pow SquaredDifference Equal NotEqual Greater GreaterEqual ' +
    'Less LessEqual LogicalAnd LogicalOr RsqrtGrad SigmoidGrad TanhGrad',
  y:
    'Abs Cast Ceil Cos DeepCopy Erf Exp Expm1 Floor IsFinite IsNan Log Log1p LogicalNot Neg OnesLike Reciprocal Round ' +
    'Rsqrt Sigmoid Sign Sin Sqrt Square Tanh Transpose ZerosLike',
  activations: 'Relu Softplus',
  softmax: 'Softmax',
  product: 'MatMul',
  out: 'Cumprod Cumsum',
  sum: 'AddN',
  value: 'ReadVariableOp',
};

const several: Readonly<Record<string, readonly string[]>> = {
  SparseSoftmaxCrossEntropyWithLogits: ['loss', 'backprop'],
  TopKV2: ['values', 'indices'],
};

/** Operations with a list of results. */
const lists = new Set(['SplitV', 'Unpack', 'StatefulPartitionedCall']);

const singleNames = new Map(
  Object.entries(single).flatMap(([name, operations]) => operations.split(' ').map((operation) => [operation, name])),
);

/** `name:index` of result `index` of an operation. */
export function outputName(operation: string, index: number): string {
  if (lists.has(operation)) return `output:${index}`;
  const names = several[operation];
  return names === undefined ? `${singleNames.get(operation) ?? 'output'}:0` : `${names[index] ?? 'output'}:0`;
}
