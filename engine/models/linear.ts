/** Products with weights as Hugging Face files hold them: [out, in]. Inputs are two-dimensional: N tokens, D features. */
import { restored, withGradient } from '../kernels/with-gradient.js';
import { tf } from '../tf.js';
import type { Linear } from './layer-weights.js';

/** x · Wᵀ + b. */
export function linear(x_ND: tf.Tensor2D, { weight, bias }: Linear): tf.Tensor2D {
  const product = tf.matMul<tf.Tensor2D>(x_ND, weight, false, true);
  return bias === undefined ? product : addBias(product, bias);
}

/** Bias to each row; its gradient is one sum. */
export const addBias = (x_ND: tf.Tensor2D, bias_D: tf.Tensor): tf.Tensor2D =>
  withGradient<tf.Rank.R2>([x_ND, bias_D], () => ({
    value: tf.add(x_ND, bias_D),
    saved: [],
    gradients: (dy) => [dy.clone(), tf.sum(dy, 0)],
  }));

/** Two tensors of one shape; backwards no kernel at all, where tfjs's own gradient reshapes twice. */
export const addResidual = (stream_ND: tf.Tensor2D, branch_ND: tf.Tensor2D): tf.Tensor2D =>
  withGradient<tf.Rank.R2>([stream_ND, branch_ND], () => ({
    value: tf.add(stream_ND, branch_ND),
    saved: [],
    gradients: (dy) => [dy.clone(), dy.clone()],
  }));

/** Rows of a table; the gradient is one sum of rows by index. */
export function pickRows(table_VD: tf.Tensor, indices_N: tf.Tensor1D): tf.Tensor2D {
  const [rows = 0] = table_VD.shape;
  return withGradient<tf.Rank.R2>([table_VD], () => ({
    value: tf.gather(table_VD, indices_N),
    saved: [indices_N],
    gradients: (dy, saved) => [tf.unsortedSegmentSum(dy, restored<tf.Rank.R1>(saved, 0), rows)],
  }));
}
