/**
 * Computes the loss of an output layer and its gradients, chunk after chunk, twice, and prints the loss and by how much memory
 * peaked over what a few tokens take.
 */
import { compile, type ProgramSpec } from '../../../../engine/compile.js';
import { tensorflowRunner } from '../../../../engine/runners/tensorflow.js';
import { tf } from '../../../../engine/tf.js';
import { chunkedHeadLoss } from '../../../../engine/training/losses/chunked-head.js';
import { crossEntropy } from '../../../../engine/training/losses/cross-entropy.js';
import { forgetPeak, peakBytes, residentBytes } from './memory.js';

const [packageDirectory = '', cacheDirectory = '', mode = '', ...numbers] = process.argv.slice(2);
const [vocabulary = 0, tokens = 0, chunks = 1] = numbers.map(Number);
const width = 128;

const program = (count: number, pieces: number): ProgramSpec => ({
  inputs: {
    hidden: { shape: [count, width], dtype: 'float32' },
    labels: { shape: [count], dtype: 'int32' },
  },
  xla: mode === 'xla',
  run({ head }, { hidden, labels }) {
    const loss = (hidden_ND: tf.Tensor, head_VD: tf.Tensor): tf.Scalar =>
      chunkedHeadLoss({
        hidden_ND: hidden_ND.as2D(count, width),
        head_VD: head_VD.as2D(vocabulary, width),
        chunks: pieces,
        loss: crossEntropy,
        targets: { labels_N: labels!.as1D() },
        weights_N: tf.ones([count]),
        globalTokenCount: count,
      }).value;
    const { value, grads } = tf.valueAndGrads(loss)([hidden!, head!]);
    return {
      outputs: { loss: value, toHidden: tf.sum(grads[0]!) },
      updates: { head: tf.sub(head!, tf.mul(grads[1]!, 0.1)) },
    };
  },
});

const feed = (count: number) => ({
  hidden: Float32Array.from({ length: count * width }, (_, index) => Math.sin(index)),
  labels: Int32Array.from({ length: count }, (_, index) => (index * 7919) % vocabulary),
});

const session = await compile({
  runner: tensorflowRunner({ packageDirectory, cacheDirectory }),
  state: { head: { shape: [vocabulary, width], dtype: 'float32' } },
  programs: { few: program(8, 1), all: program(tokens, chunks) },
});
session.write({ head: Float32Array.from({ length: vocabulary * width }, (_, index) => Math.cos(index)) });
session.run('few', feed(8));
const base = residentBytes();
const losses = [session.run('all', feed(tokens))['loss']?.[0]];
forgetPeak();
losses.push(session.run('all', feed(tokens))['loss']?.[0]);
console.log(JSON.stringify({ losses, overBytes: peakBytes() - base }));
