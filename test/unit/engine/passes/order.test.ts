import { rewrite } from '../../../../engine/passes/rewrite.js';
import { after } from '../../../../engine/kernels/order.js';
import { tf } from '../../../../engine/tf.js';
import { trace } from '../../../../engine/tracing/trace.js';
import { float, kernelsOf } from './on-and-off.js';

const recorded = () =>
  trace('tried', {}, { x: float(2, 2) }, (_, { x = tf.scalar(0) }) => {
    const first = tf.exp(x);
    const norms = [1, 2, 3].map((factor) => tf.sum(tf.mul(x, factor)));
    return { outputs: { y: tf.exp(after(x, first)), z: tf.add(first, tf.addN(norms)) } };
  });

test('what is to run after something else is not merged with what runs before', () => {
  expect(kernelsOf(rewrite(recorded())).filter((kernel) => kernel === 'Exp' || kernel === 'After')).toEqual([
    'Exp',
    'After',
    'Exp',
  ]);
});

test('for XLA order is a barrier, and no sum of many remains', () => {
  const kernels = kernelsOf(rewrite(recorded(), {}, { xla: true }));
  expect(kernels).toContain('Barrier');
  expect(kernels).toContain('Pack');
  expect(kernels).not.toContain('After');
  expect(kernels).not.toContain('AddN');
});
