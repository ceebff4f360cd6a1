/** Functions put together at random, with gradients: whatever passes do, their results must stay. */
import { tf } from '../../../../engine/tf.js';
import { createRandom, type Random } from '../../../../engine/training/random.js';
import { float, type Tried } from './on-and-off.js';

type Step = (x: tf.Tensor2D, y: tf.Tensor2D) => tf.Tensor;

/** All take and give [3, 3]; numbers stay small. */
const steps: readonly Step[] = [
  (x, y) => tf.add(x, y),
  (x, y) => tf.sub(x, tf.neg(y)),
  (x, y) => tf.mul(tf.sigmoid(x), y),
  (x) => tf.tanh(x),
  (x) => tf.mul(x, tf.ones([3, 3])),
  (x) => tf.div(x, 1),
  (x) => tf.transpose(tf.transpose(x)),
  (x, y) => tf.matMul(tf.tanh(x), tf.tanh(tf.transpose(y))),
  (x) => tf.softmax(x),
  (x) => tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 0.1))),
  (x) => tf.sqrt(tf.add(tf.square(x), 1)),
  (x) => tf.reshape(tf.reshape(tf.sigmoid(x), [9]), [3, 3]),
  (x, y) => tf.maximum(x, tf.mul(y, 0.5)),
  (x, y) => tf.where(tf.tensor2d([1, 0, 0, 0, 1, 1, 0, 1, 0], [3, 3], 'bool'), x, y),
  (x) => tf.where(tf.tensor2d([1, 0, 1], [1, 3], 'bool'), x, 0.25),
  (x) => tf.concat(tf.split(tf.tanh(x), 3, 1).reverse(), 1),
  (x) => tf.pow(tf.add(tf.square(x), 1), -0.5),
  (x) => tf.add(tf.tile(tf.sum(tf.tanh(x), 0, true), [3, 1]), 0),
  (x) => tf.gather(x, tf.tensor1d([2, 0, 0], 'int32')),
  (x, y) => tf.add(tf.exp(tf.tanh(x)), tf.exp(tf.tanh(x)).mul(tf.tanh(y))),
];

const pick = <T>(random: Random, from: readonly T[]): T => {
  const chosen = from[random.integer(from.length)];
  if (chosen === undefined) throw new Error('Expected something to pick from.');
  return chosen;
};

/** A function of x and y with `length` steps, its value and its gradients. */
export function randomFunction(seed: number, length = 8): Tried {
  const run = (a: tf.Tensor, b: tf.Tensor): tf.Scalar => {
    const random = createRandom(seed, 'program');
    const values = [a as tf.Tensor2D, b as tf.Tensor2D];
    for (let step = 0; step < length; step++)
      values.push(tf.reshape(pick(random, steps)(pick(random, values), pick(random, values)), [3, 3]));
    return tf.sum(tf.addN(values));
  };
  return {
    inputs: { x: float(3, 3), y: float(3, 3) },
    run: (_, { x, y }) => {
      if (x === undefined || y === undefined) throw new Error('Expected two inputs.');
      const { value, grads } = tf.valueAndGrads(run)([x, y]);
      const [dx = x, dy = y] = grads;
      return { outputs: { value, dx, dy } };
    },
  };
}

export function randomFeed(seed: number): { x: Float32Array; y: Float32Array } {
  const random = createRandom(seed, 'feed');
  const numbers = (): Float32Array => Float32Array.from({ length: 9 }, () => random.normal());
  return { x: numbers(), y: numbers() };
}
