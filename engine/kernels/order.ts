/** Order between computations that share no value. */
import type { tf } from '../tf.js';
import { input } from '../tracing/shapes.js';
import { typed } from '../runners/graph.js';
import { runComposite, type Composite } from './composite.js';
import type { KernelDefinition } from './definition.js';

export const afterKernel: Composite & KernelDefinition = {
  list: true,
  name: 'After',
  eager: ({ x }) => {
    if (x === undefined) throw new TypeError('expected a tensor');
    return [x.clone()];
  },
  infer: (inputs) => [input(inputs, 'x')],
  emit: ({ graph, operation, of }) => {
    const control = [of('dependency').node];
    const node = graph.node('Identity', [of('x')], { T: typed(input(operation.inputs, 'x').dtype) }, { control });
    return [{ node, index: 0 }];
  },
};

/**
 * The same tensor, not available before `dependency` is: chains computations that would otherwise run side by side and be in
 * memory at once. Eagerly everything runs in order anyway. Not differentiable: call it inside a `tf.customGrad`.
 */
export function after<T extends tf.Tensor>(tensor: T, dependency: tf.Tensor): T {
  const [result] = runComposite(afterKernel, { x: tensor, dependency });
  return result as T;
}
