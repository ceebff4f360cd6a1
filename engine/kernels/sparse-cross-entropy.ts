/**
 * Cross-entropy of class indices: no one-hot labels, and the gradient is computed with the loss.
 * Shapes: N rows, V classes.
 */
import { tf } from '../tf.js';
import { typed } from '../runners/graph.js';
import { checkTypes, input } from '../tracing/shapes.js';
import { runComposite, type Composite } from './composite.js';
import { index32, type KernelDefinition } from './definition.js';

export const sparseCrossEntropyKernel: Composite & KernelDefinition = {
  list: true,
  name: 'SparseCrossEntropy',
  eager: ({ logits, labels }) => {
    if (logits === undefined || labels === undefined) throw new TypeError('expected logits and labels');
    const [rows = 0, classes = 0] = logits.shape;
    const shifted_NV = tf.sub(logits, tf.max(logits, 1, true));
    const exponentials_NV = tf.exp(shifted_NV);
    const sums_N1 = tf.sum(exponentials_NV, 1, true);
    const flat_N = tf.add(tf.mul(tf.range(0, rows, 1, 'int32'), tf.scalar(classes, 'int32')), labels);
    const chosen_N = tf.gather(tf.reshape(shifted_NV, [-1]), flat_N);
    const loss_N = tf.sub(tf.log(tf.reshape(sums_N1, [rows])), chosen_N);
    const isLabel_NV = tf.equal(tf.range(0, classes, 1, 'int32'), tf.expandDims(labels, 1));
    const gradient_NV = tf.sub(tf.div(exponentials_NV, sums_N1), tf.cast(isLabel_NV, 'float32'));
    return [loss_N, gradient_NV];
  },
  infer: (inputs, _, kernel) => {
    const logits = input(inputs, 'logits');
    checkTypes(kernel, [logits], ['float32']);
    const { shape } = logits;
    return [
      { shape: shape.slice(0, 1), dtype: 'float32' },
      { shape, dtype: 'float32' },
    ];
  },
  emit: ({ graph, of }) => {
    const node = graph.node('SparseSoftmaxCrossEntropyWithLogits', [of('logits'), of('labels')], {
      T: typed('float32'),
      Tlabels: index32,
    });
    return [
      { node, index: 0 },
      { node, index: 1 },
    ];
  },
};

/**
 * −log softmax(logits)[label], row by row, and d(loss)/d(logits) = softmax(logits) − onehot(label).
 * @param logits_NV float32
 * @param labels_N int32, each in [0, V)
 */
export function sparseCrossEntropyWithGradient(
  logits_NV: tf.Tensor2D,
  labels_N: tf.Tensor1D,
): { loss_N: tf.Tensor1D; gradient_NV: tf.Tensor2D } {
  const [loss, gradient] = runComposite(sparseCrossEntropyKernel, { logits: logits_NV, labels: labels_N });
  if (loss === undefined || gradient === undefined) throw new TypeError('expected a loss and a gradient');
  return { loss_N: loss.as1D(), gradient_NV: gradient.as2D(logits_NV.shape[0], logits_NV.shape[1]) };
}
