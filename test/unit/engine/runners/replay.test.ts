/** A call on tfjs kernels holds what is still needed, and no more: each intermediate goes after its last use. */
import { prepareBackend } from '../../../../engine/runners/kernels-backend.js';
import { replay, scheduleOf } from '../../../../engine/runners/replay.js';
import { tf } from '../../../../engine/tf.js';
import { trace } from '../../../../engine/tracing/trace.js';

const links = 30;

test('a chain of operations has two of its values in memory at a time, and one that is used again stays until then', async () => {
  await prepareBackend('cpu');
  const program = trace('chain', {}, { x: { shape: [100], dtype: 'float32' } }, (_, { x }) => {
    const kept = tf.exp(x!);
    let value: tf.Tensor = kept;
    for (let link = 0; link < links; link++) value = tf.tanh(value);
    return { outputs: { y: tf.add(value, kept) } };
  });
  const schedule = scheduleOf(program);
  const before = tf.memory().numTensors;
  const held: number[] = [];
  const engine = tf.engine();
  const runKernel = engine.runKernel.bind(engine);
  // What is there as each kernel is called.
  engine.runKernel = <Result extends tf.Tensor | tf.Tensor[]>(...call: Parameters<typeof runKernel>): Result => {
    held.push(tf.memory().numTensors - before);
    return runKernel<Result>(...call);
  };
  try {
    replay(schedule, [new Float32Array(100)], new Map());
  } finally {
    // The method of its class again.
    Reflect.deleteProperty(engine, 'runKernel');
  }
  // The input; then the first value and the newest link, which are what the last operation adds up.
  expect(held).toEqual([1, 1, ...Array.from({ length: links - 1 }, () => 2), 2]);
  expect(tf.memory().numTensors).toBe(before);
});
