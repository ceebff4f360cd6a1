/** A small training program: two layers, a cross-entropy, a plain gradient step. */
import type { ProgramSpec } from '../../../../engine/compile.js';
import { kernelsRunner } from '../../../../engine/runners/kernels.js';
import type { Runner } from '../../../../engine/runners/runner.js';
import { tensorflowRunner } from '../../../../engine/runners/tensorflow.js';
import { tf } from '../../../../engine/tf.js';
import type { TensorSpec } from '../../../../engine/tracing/tensor-spec.js';
import { sparseCrossEntropy } from '../../../support/losses.js';

export const state: Readonly<Record<string, TensorSpec>> = {
  embedding: { shape: [64, 32], dtype: 'float32' },
  head: { shape: [64, 32], dtype: 'float32' },
};

const loss = (ids: tf.Tensor1D, labels: tf.Tensor1D, embedding: tf.Tensor, head: tf.Tensor): tf.Scalar => {
  const hidden = tf.tanh(tf.gather(embedding, ids));
  const logits = tf.matMul<tf.Tensor2D>(hidden, head, false, true);
  return tf.mean<tf.Scalar>(sparseCrossEntropy(logits, labels));
};

export const training = (xla: boolean): ProgramSpec => ({
  xla,
  inputs: { ids: { shape: [128], dtype: 'int32' }, labels: { shape: [128], dtype: 'int32' } },
  run: ({ embedding, head }, { ids, labels }) => {
    if (embedding === undefined || head === undefined || ids === undefined || labels === undefined)
      throw new TypeError('expected weights, ids and labels');
    const { value, grads } = tf.valueAndGrads((...weights: tf.Tensor[]) =>
      loss(ids.as1D(), labels.as1D(), weights[0] ?? embedding, weights[1] ?? head),
    )([embedding, head]);
    const stepped = (weight: tf.Tensor, gradient: tf.Tensor | undefined): tf.Tensor =>
      gradient === undefined ? weight : tf.sub(weight, tf.mul(gradient, 0.5));
    return {
      outputs: { loss: value },
      updates: { embedding: stepped(embedding, grads[0]), head: stepped(head, grads[1]) },
    };
  },
});

/** Indices that depend on the step alone. */
export const idsAt = (step: number, factor: number): Int32Array =>
  Int32Array.from({ length: 128 }, (_, position) => (step * 31 + position * factor) % 64);

export const weights = (): Record<string, Float32Array> => ({
  embedding: Float32Array.from({ length: 2048 }, (_, index) => Math.sin(index * 12.9898) / 4),
  head: Float32Array.from({ length: 2048 }, (_, index) => Math.sin(index * 78.233) / 4),
});

/** `graph` and `xla` run in TensorFlow. */
export const runnerOf = (kind: string, packageDirectory: string, cacheDirectory: string): Runner =>
  kind === 'wasm' || kind === 'cpu'
    ? kernelsRunner({ backend: kind })
    : tensorflowRunner({ packageDirectory, cacheDirectory });
