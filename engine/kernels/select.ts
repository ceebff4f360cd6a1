/** `Select` as numpy has it: condition and branches broadcast. tfjs's own kernel wants all three in the shape of the result. */
import { tf } from '../tf.js';
import type { Composite } from './composite.js';
import type { KernelDefinition } from './definition.js';
import { select } from './elementwise.js';

export const broadcastingSelectKernel: Composite & KernelDefinition = {
  ...select,
  list: true,
  name: 'BroadcastingSelect',
  eager: ({ condition, t, e }) => {
    if (condition === undefined || t === undefined || e === undefined) throw new TypeError('expected three tensors');
    return [tf.where(condition, t, e)];
  },
};
