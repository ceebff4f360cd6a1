/** Programs on wasm whose memory is all but full, and again when there is room; prints how each call ended. */
import { hasCode } from '../../../../config/errors.js';
import { compile, type ProgramSpec } from '../../../../engine/compile.js';
import { prepareBackend } from '../../../../engine/runners/kernels-backend.js';
import { kernelsRunner } from '../../../../engine/runners/kernels.js';
import { isWasmMemory } from '../../../../engine/runners/wasm-backend.js';
import { tf } from '../../../../engine/tf.js';
import type { TensorSpec } from '../../../../engine/tracing/tensor-spec.js';

const mebi = 2 ** 20;
const repeated = (x: tf.Tensor | undefined, ...shape: number[]): tf.Tensor => {
  const ones = shape.map(() => 1);
  return tf.tile(tf.reshape(x ?? tf.scalar(0), ones), shape);
};

const functions: Readonly<Record<string, (x: tf.Tensor | undefined) => tf.Tensor>> = {
  // XNNPACK copies the second matrix in another order.
  product: (x) => tf.max(tf.matMul(repeated(x, 1, 4096), repeated(x, 4096, 4096))),
  large: (x) => tf.max(repeated(x, 64 * mebi)),
  // 4.3 GB, of which the lower 32 bits say 24 MB.
  beyond: (x) => tf.max(repeated(x, 2 ** 30 + 6 * mebi)),
  // The kernel sorts in memory of its own.
  top: (x) => tf.max(tf.topk(repeated(x, 16 * mebi), 1).values),
  // The first part is made, the second is not.
  split: (x) => tf.addN(tf.split(repeated(x, 12 * mebi), 2).map((part) => tf.max(part))),
};
const scalar: TensorSpec = { shape: [1], dtype: 'float32' };
const program = (run: (x: tf.Tensor | undefined) => tf.Tensor): ProgramSpec => ({
  inputs: { x: scalar },
  run: ({ w }, { x }) => ({ outputs: { y: run(x) }, updates: { w: tf.add(w ?? tf.scalar(0), 1) } }),
});
const runner = kernelsRunner({ backend: 'wasm' });
const session = await compile({
  runner,
  state: { w: scalar, wide: { shape: [32 * mebi], dtype: 'float32' } },
  programs: Object.fromEntries(Object.entries(functions).map(([name, run]) => [name, program(run)])),
});

const ended = async (work: () => unknown): Promise<unknown> => {
  try {
    return await work();
  } catch (error) {
    return hasCode(error) ? `${error.code}: ${error.message}` : `no code: ${String(error)}`;
  }
};
const runs = async (names = Object.keys(functions)): Promise<Record<string, unknown>> => {
  const results: Record<string, unknown> = {};
  for (const name of names) results[name] = await ended(() => session.run(name, { x: Float32Array.of(1) })['y']?.[0]);
  return results;
};

await prepareBackend('wasm');
const backend = tf.backend();
if (!isWasmMemory(backend)) throw new TypeError('expected the wasm backend');
const { wasm } = backend;

/** Takes what there is in pieces of a size, and touches none of it. */
function fill(size: number): number[] {
  const addresses: number[] = [];
  for (;;) {
    try {
      addresses.push(wasm._malloc(size));
    } catch {
      return addresses;
    }
  }
}
const release = (addresses: readonly number[]): void => addresses.forEach((address) => wasm._free(address));
const held = (): [tensors: number, free: number] => {
  const all = fill(mebi);
  release(all);
  return [tf.memory().numTensors, all.length];
};

const load = (megabytes: number, count = 1): Promise<unknown> =>
  ended(() =>
    compile({
      runner,
      state: Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`s${index}`, { shape: [megabytes * 2 ** 18], dtype: 'float32' }]),
      ),
      programs: { one: { inputs: {}, run: () => ({ outputs: { y: tf.ones([1]) } }) } },
    }),
  );

const blocks = fill(16 * mebi).sort((one, other) => one - other);
// 80 MiB in one piece.
release(blocks.splice(8, 5));
const before = held();
const full = [await runs(), await runs()];
const states = {
  tooLarge: await load(1024, 6),
  noRoom: await load(48, 3),
  write: await ended(() => session.write({ wide: new Float32Array(32 * mebi) })),
};
const after = held();
release(blocks);
const { beyond: _, ...possible } = functions;
const roomy = await runs(Object.keys(possible));
const { w } = session.read(['w']);
session.dispose();
console.log(JSON.stringify({ before, after, full, states, roomy, updates: w?.[0], end: tf.memory().numTensors }));
