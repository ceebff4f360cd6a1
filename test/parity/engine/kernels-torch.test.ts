/** The operations that decoders are made of have the values and gradients that torch computes in float64. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, type ProgramSpec } from '../../../engine/compile.js';
import { tf } from '../../../engine/tf.js';
import type { Numbers } from '../../../engine/tracing/program.js';
import type { TensorSpec } from '../../../engine/tracing/tensor-spec.js';
import { runnersUnderTest } from './runners-under-test.js';
import { sparseCrossEntropy } from '../../support/losses.js';

interface Recorded extends TensorSpec {
  readonly values: readonly number[];
}

interface Reference {
  readonly name: string;
  readonly inputs: readonly Recorded[];
  readonly weights: Recorded;
  readonly result: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

const path = join(import.meta.dirname, '../../fixtures/kernels/gradients.json');
const references = JSON.parse(readFileSync(path, 'utf8')) as readonly Reference[];

type Operation = (...inputs: tf.Tensor[]) => tf.Tensor;

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

const operations: Readonly<Record<string, Operation>> = {
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
};

const numbersOf = ({ dtype, values }: Recorded): Numbers =>
  dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);

function programOf({ name, inputs, weights }: Reference, xla: boolean): ProgramSpec {
  const operation = operations[name]!;
  return {
    xla,
    inputs: Object.fromEntries([...inputs, weights].map((spec, index) => [`${index}`, spec])),
    run: (_, given) => {
      const tensors = inputs.map((_input, index) => given[`${index}`]!);
      const loss = (...varied: tf.Tensor[]): tf.Scalar => {
        const queue = [...varied];
        const all = tensors.map((tensor) => (tensor.dtype === 'float32' ? queue.shift()! : tensor));
        return tf.sum(tf.mul(operation(...all), given[`${inputs.length}`]!));
      };
      const { grads } = tf.valueAndGrads(loss)(tensors.filter(({ dtype }) => dtype === 'float32'));
      const slopes = Object.fromEntries(grads.map((slope, index) => [`gradient ${index}`, slope]));
      return { outputs: { result: operation(...tensors), ...slopes } };
    },
  };
}

/** tfjs approximates erf to 2e-7; everything else is rounding to float32. */
const tolerance = 5e-6;

test.each(runnersUnderTest)(
  'values and gradients are those of torch within 5e-6: %s',
  async (_name, makeRunner, xla) => {
    expect(references.map(({ name }) => name)).toEqual(Object.keys(operations));
    const programs = Object.fromEntries(references.map((one) => [one.name, programOf(one, xla)]));
    const session = await compile({ runner: await makeRunner(), state: {}, programs });
    const differences = references.flatMap(({ name, inputs, weights, result, gradients }) => {
      const given = [...inputs, weights].map((recorded, index) => [`${index}`, numbersOf(recorded)] as const);
      const found = session.run(name, Object.fromEntries(given));
      return [
        [`${name}: result`, greatest(found['result'], result)] as const,
        ...gradients.map(
          (slope, index) => [`${name}: gradient ${index}`, greatest(found[`gradient ${index}`], slope)] as const,
        ),
      ].filter(([, difference]) => !(difference < tolerance));
    });
    session.dispose();
    expect(differences).toEqual([]);
  },
);

/** Relative to the greater of 1 and the reference; NaN where lengths differ. */
const greatest = (found: Numbers | undefined, expected: readonly number[]): number =>
  found?.length !== expected.length
    ? NaN
    : Math.max(...expected.map((value, at) => Math.abs(value - (found[at] ?? NaN)) / Math.max(1, Math.abs(value))));
