/** The sum of the squares of all elements: one pass over memory in TensorFlow, no tensor of the operand's size beside it. */
import { typed } from '../runners/graph.js';
import { tf } from '../tf.js';
import { checkTypes, input } from '../tracing/shapes.js';
import { runComposite, type Composite } from './composite.js';
import type { KernelDefinition } from './definition.js';

export const sumOfSquaresKernel: Composite & KernelDefinition = {
  list: true,
  name: 'SumOfSquares',
  // Row by row first: one flat float32 sum of many elements loses digits.
  eager: ({ x }) => {
    if (x === undefined) throw new TypeError('expected a tensor');
    return [tf.sum(x.rank < 2 ? tf.square(x) : tf.sum(tf.square(x), -1))];
  },
  infer: (inputs, _, kernel) => {
    checkTypes(kernel, [input(inputs, 'x')], ['float32']);
    return [{ shape: [], dtype: 'float32' }];
  },
  emit: ({ graph, of }) => {
    const T = typed('float32');
    const half = graph.output('L2Loss', [of('x')], { T });
    return [graph.output('Mul', [half, graph.scalar(2)], { T })];
  },
};

/** Σ x². Not on the tape. @param x float32 of any shape */
export function sumOfSquares(x: tf.Tensor): tf.Scalar {
  const [sum] = runComposite(sumOfSquaresKernel, { x });
  if (sum === undefined) throw new TypeError('expected a sum');
  return sum.asScalar();
}
