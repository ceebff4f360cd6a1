/** The operations whose values and gradients torch has computed: `make_kernel_gradients.py` says the same in torch. */
import { tf } from '../../../../engine/tf.js';
import { sparseCrossEntropy } from '../../../support/losses.js';

export type Operation = (...inputs: tf.Tensor[]) => tf.Tensor;

const rotate: Operation = (x, cos, sin) => {
  const [first, second] = tf.split(x, 2, -1);
  return tf.add(tf.mul(x, cos), tf.mul(tf.concat([tf.neg(second!), first!], -1), sin));
};

const attention: Operation = (q, k, v) => {
  const length = q.shape.at(-2)!;
  const causal = Array.from({ length: length * length }, (_, at) => at % length <= Math.floor(at / length));
  const mask = tf.tensor(causal, [1, 1, length, length], 'bool');
  const scores = tf.matMul(tf.mul(q, q.shape.at(-1)! ** -0.5), k, false, true);
  return tf.matMul(tf.softmax(tf.where(mask, scores, tf.fill(scores.shape, -1e9))), v);
};

const product = ([one, other]: readonly tf.Tensor[]): tf.Tensor => tf.mul(one!, other!);

/** By the names of the vectors, in their order. */
export const operations: Readonly<Record<string, Operation>> = {
  add: (a, b) => tf.add(a, b),
  multiply: (a, b) => tf.mul(a, b),
  divide: (a, b) => tf.div(a, b),
  matMul: (a, b) => tf.matMul(a, b),
  'matMul transposed': (a, b) => tf.matMul(a, b, false, true),
  'matMul batched': (a, b) => tf.matMul(a, b),
  exp: (x) => tf.exp(x),
  log: (x) => tf.log(x),
  rsqrt: (x) => tf.rsqrt(x),
  tanh: (x) => tf.tanh(x),
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
  gelu: (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  softmax: (x) => tf.softmax(x),
  logSoftmax: (x) => tf.logSoftmax(x),
  logSumExp: (x) => tf.logSumExp(x, -1),
  sum: (x) => tf.sum(x, 1),
  mean: (x) => tf.mean(x, -1, true),
  max: (x) => tf.max(x, -1),
  gather: (x, ids) => tf.gather(x, ids),
  transpose: (x) => tf.transpose(x, [0, 2, 1, 3]),
  rmsNorm: (x, weight) => tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-6))), weight),
  rotate,
  attention,
  crossEntropy: (logits, labels) => sparseCrossEntropy(logits as tf.Tensor2D, labels as tf.Tensor1D),
  abs: (x) => tf.abs(x),
  addN: (...terms) => tf.addN(terms),
  ceil: (x) => tf.ceil(x),
  clip: (x) => tf.clipByValue(x, -0.7, 0.4),
  concat: (a, b) => tf.concat([a, b], 1),
  cos: (x) => tf.cos(x),
  cumsum: (x) => tf.cumsum(x, 1),
  'cumsum exclusive, reversed': (x) => tf.cumsum(x, 1, true, true),
  erf: (x) => tf.erf(x),
  expandDims: (x) => tf.expandDims(x, 1),
  expm1: (x) => tf.expm1(x),
  floor: (x) => tf.floor(x),
  'gather columns': (x, ids) => tf.gather(x, ids, 1),
  'gather by a matrix': (x, ids) => tf.gather(x, ids),
  'gather batched': (x, ids) => tf.gather(x, ids, 1, 1),
  log1p: (x) => tf.log1p(x),
  maximum: (a, b) => tf.maximum(a, b),
  min: (x) => tf.min(x, [0, 2]),
  minimum: (a, b) => tf.minimum(a, b),
  mod: (a, b) => tf.mod(a, b),
  negate: (x) => tf.neg(x),
  pack: (a, b) => tf.stack([a, b], -1),
  pad: (x) =>
    tf.pad(
      x,
      [
        [1, 0],
        [2, 1],
      ],
      0.5,
    ),
  power: (a, b) => tf.pow(a, b),
  prod: (x) => tf.prod(x, [0, 2]),
  reciprocal: (x) => tf.reciprocal(x),
  relu: (x) => tf.relu(x),
  reshape: (x) => tf.reshape(x, [3, 4]),
  round: (x) => tf.round(x),
  select: (condition, yes, no) => tf.where(condition, yes, no),
  sigmoid: (x) => tf.sigmoid(x),
  sign: (x) => tf.sign(x),
  sin: (x) => tf.sin(x),
  slice: (x) => tf.slice(x, [1, 0, 1], [-1, 2, 2]),
  softplus: (x) => tf.softplus(x),
  split: (x) => product(tf.split(x, 2, -1)),
  sqrt: (x) => tf.sqrt(x),
  square: (x) => tf.square(x),
  squaredDifference: (a, b) => tf.squaredDifference(a, b),
  subtract: (a, b) => tf.sub(a, b),
  tile: (x) => tf.tile(x, [2, 1, 3]),
  unpack: (x) => product(tf.unstack(x, 1)),
  unsortedSegmentSum: (x, ids) => tf.unsortedSegmentSum(x, ids as tf.Tensor1D, 4),
};

/** Kernels with a gradient in tfjs but no vector, by the reason. */
export const withoutVectors: Readonly<Record<string, readonly string[]>> = {
  'flat: torch hands no gradient on': [
    'ArgMax',
    'ArgMin',
    'GreaterEqual',
    'IsFinite',
    'IsNan',
    'OnesLike',
    'Step',
    'ZerosLike',
  ],
  'flat; tfjs hands the gradient on as if nothing were rounded': ['Cast', 'FloorDiv'],
};
