/** A thousand steps with failures in between; prints what the process held after the first hundred and after the last. */
import { compile } from '../../../../engine/compile.js';
import { NativeLibrary } from '../../../../engine/runners/native.js';
import { tf } from '../../../../engine/tf.js';
import { updateRows } from '../../../../engine/tracing/row-update.js';
import { residentBytes } from './memory.js';
import { idsAt, runnerOf, state, training, weights } from './small-training.js';

const [packageDirectory = '', cacheDirectory = '', kind = ''] = process.argv.slice(2);
const library = kind === 'wasm' ? undefined : new NativeLibrary(packageDirectory);
const session = await compile({
  runner: runnerOf(kind, packageDirectory, cacheDirectory),
  state: { ...state, count: { shape: [1], dtype: 'float32' }, rows: { shape: [2, 2], dtype: 'float32' } },
  programs: {
    train: training(kind === 'xla'),
    // 64 KiB are fed and fetched by each step: what a thousand of them leave behind is seen.
    double: {
      inputs: { x: { shape: [2 ** 14], dtype: 'float32' } },
      run: (_, { x = tf.scalar(0) }) => ({ outputs: { doubled: tf.mul(x, 2) } }),
    },
    divide: {
      inputs: { x: { shape: [2], dtype: 'int32' } },
      run: (_, { x = tf.scalar(0) }) => ({ outputs: { quotient: tf.floorDiv(tf.scalar(6, 'int32'), x) } }),
    },
    // The second of its updates can fail when the first is made.
    place: {
      inputs: { at: { shape: [1], dtype: 'int32' } },
      run: ({ count = tf.scalar(0) }, { at = tf.scalar(0) }) => ({
        outputs: {},
        updates: { count: tf.add(count, 1), rows: updateRows(at.as1D(), tf.ones([1, 2])) },
      }),
    },
  },
});
session.write(weights());

const failures = [
  () => session.run('train', { ids: idsAt(1, 1) }),
  () => session.run('train', { ids: idsAt(1, 1), labels: new Int32Array(3) }),
  () => session.write({ embedding: new Float32Array(3) }),
  () => session.run('place', { at: Int32Array.of(7) }),
  () => session.run('divide', { x: Int32Array.of(0, 0) }),
];

let failed = 0;
const large = new Float32Array(2 ** 14);
function step(number: number): number {
  const { loss } = session.run('train', { ids: idsAt(number, 7), labels: idsAt(number, 3) });
  const { doubled } = session.run('double', { x: large.fill(number) });
  if (doubled?.at(-1) !== 2 * number) throw new Error(`step ${number} doubled to ${doubled?.at(-1)}`);
  // What is collected in time is not taken for a leak: memory grows by what nobody can free.
  if (number % 50 === 0) globalThis.gc?.();
  if (number % 10 === 0) {
    for (const failure of failures) {
      try {
        failure();
      } catch {
        failed += 1;
      }
    }
    session.write(session.read(['embedding', 'head']));
  }
  return loss?.[0] ?? NaN;
}

const held = (): { tensors: number; buffers: number; handles: number; bytes: number } => {
  globalThis.gc?.();
  const { numTensors, numDataBuffers } = tf.memory();
  return { tensors: numTensors, buffers: numDataBuffers, handles: library?.handles ?? 0, bytes: residentBytes() };
};

const first = step(0);
for (let number = 1; number <= 200; number++) step(number);
const before = held();
for (let number = 201; number < 1200; number++) step(number);
const last = step(1200);
const after = held();
session.dispose();
console.log(JSON.stringify({ before, after, end: held(), failed, first, last }));
