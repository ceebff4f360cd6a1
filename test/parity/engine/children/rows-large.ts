/** Moves rows of a large variable, and prints how much memory that took over the variable itself. */
import { compile } from '../../../../engine/compile.js';
import { tensorflowRunner } from '../../../../engine/runners/tensorflow.js';
import { tf } from '../../../../engine/tf.js';
import { bytesOf, type TensorSpec } from '../../../../engine/tracing/tensor-spec.js';
import { forgetPeak, peakBytes, residentBytes } from './memory.js';

const [packageDirectory = '', cacheDirectory = ''] = process.argv.slice(2);
const spec: TensorSpec = { shape: [65_536, 1024], dtype: 'float32' };
const session = await compile({
  runner: tensorflowRunner({ packageDirectory, cacheDirectory }),
  state: { table: spec },
  programs: {
    add: { inputs: {}, run: ({ table = tf.scalar(0) }) => ({ outputs: {}, updates: { table: tf.add(table, 1) } }) },
  },
});

/** Peak over the memory at its beginning. */
function peakOf(work: () => void): number {
  const before = residentBytes();
  forgetPeak();
  work();
  return peakBytes() - before;
}

const rows = new Float32Array(1024 * 1024).fill(3);
const move = (): void => {
  for (let begin = 0; begin < 65_536; begin += 8192) {
    session.writeRows('table', begin, rows);
    const [written = 0, next = 0] = [0, 1024].map((column) => session.readRows('table', begin + 1023, 2)[column]);
    if (written !== 3 || next === 3)
      throw new Error(`expected rows of 3 and others after them, found ${written}, ${next}`);
  }
};
session.run('add', {});
const first = peakOf(move);
session.run('add', {});
const second = peakOf(move);
console.log(JSON.stringify({ variableBytes: bytesOf(spec), overBytes: Math.max(first, second) }));
