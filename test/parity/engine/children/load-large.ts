/** Loads the weights of a model of 100 million parameters and prints by how much memory peaked. */
import { compile } from '../../../../engine/compile.js';
import { tensorflowRunner } from '../../../../engine/runners/tensorflow.js';
import { tf } from '../../../../engine/tf.js';
import { bytesOf, sizeOf, type TensorSpec } from '../../../../engine/tracing/tensor-spec.js';
import { forgetPeak, peakBytes, residentBytes } from './memory.js';

const [packageDirectory = '', cacheDirectory = ''] = process.argv.slice(2);
const matrix = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });
const state: Record<string, TensorSpec> = { embedding: matrix(32_000, 768) };
for (let layer = 0; layer < 12; layer++) {
  for (const name of ['q', 'k', 'v', 'o']) state[`${layer}.${name}`] = matrix(768, 768);
  for (const name of ['gate', 'up', 'down']) state[`${layer}.${name}`] = matrix(2048, 768);
  state[`${layer}.norm`] = matrix(768);
}
const run = (weights: Readonly<Record<string, tf.Tensor>>): { outputs: Record<string, tf.Tensor> } => ({
  outputs: { sum: tf.addN(Object.values(weights).map((weight) => tf.sum(weight))) },
});
const small = matrix(1);
const runner = tensorflowRunner({ packageDirectory, cacheDirectory });
const warm = await compile({ runner, state: { small }, programs: { sum: { inputs: {}, run } } });
warm.run('sum', {});
warm.dispose();
const session = await compile({ runner, state, programs: { sum: { inputs: {}, run } } });
const base = residentBytes();
forgetPeak();
await session.load(Object.keys(state), async (name, _begin, rows) => {
  await new Promise(setImmediate);
  return new Float32Array(rows * sizeOf(state[name]?.shape.slice(1) ?? [])).fill(1 / 1024);
});
const modelBytes = Object.values(state).reduce((sum, spec) => sum + bytesOf(spec), 0);
const peak = peakBytes() - base;
const [sum = NaN] = session.run('sum', {})['sum'] ?? [];
if (Math.abs(sum / (modelBytes / 4096) - 1) > 1e-3) throw new Error(`the weights sum up to ${sum}`);
console.log(JSON.stringify({ modelBytes, peakBytes: peak }));
