/**
 * Training steps by TensorFlow.js as its documentation shows them: a function run eagerly, `tf.variableGrads`,
 * `tf.train.adam`, one-hot labels. On tfjs-node, or on wasm with the engine's repaired matrix product. Adam has no weight
 * decay: at the bench's settings that moves a loss by less than 1e-5.
 */
import { createRequire } from 'node:module';
import util from 'node:util';
import { prepareBackend } from '../../engine/runners/kernels-backend.js';
import { tf } from '../../engine/tf.js';
import {
  answer,
  memoryBytes,
  resetPeak,
  type EngineOptions,
  type Measurement,
  type TrainTask,
} from '../engine-measurement.js';
import { readModel, readRows } from '../engine-workload.js';
import { median } from '../report.js';
import { logitsOf } from './eager-model.js';

async function train(task: TrainTask, { backend, packageDirectory }: EngineOptions): Promise<Measurement> {
  await (backend === 'wasm' ? prepareBackend('wasm') : loadNative(packageDirectory ?? ''));
  const idleBytes = memoryBytes('VmRSS');
  const step = await eagerStep(task);
  const rows = await readRows(task.ids, task.batch * (task.length + 1));
  resetPeak();
  const losses: number[] = [];
  const timesMs: number[] = [];
  for (const row of rows) {
    const started = performance.now();
    losses.push(step(row));
    timesMs.push(performance.now() - started);
  }
  const timed = timesMs.slice(task.warmupSteps);
  return {
    losses,
    firstMs: timesMs[0] ?? Number.NaN,
    bestMs: Math.min(...timed),
    medianMs: median(timed),
    idleBytes,
    peakBytes: memoryBytes('VmHWM'),
  };
}

async function eagerStep({ model, batch, length, optimizer }: TrainTask): Promise<(row: Int32Array) => number> {
  const { config, weights } = await readModel(model);
  const variables: Record<string, tf.Variable> = {};
  for (const [name, { dimensions, values }] of Object.entries(weights))
    variables[name] = tf.variable(tf.tensor(values, [...dimensions]), true, name);
  const { learningRate, beta1, beta2, epsilon } = optimizer;
  const adam = tf.train.adam(learningRate, beta1, beta2, epsilon);
  return (row) =>
    tf.tidy(() => {
      const rows_BT = tf.tensor2d(row, [batch, length + 1], 'int32');
      const inputs_BT = tf.slice(rows_BT, [0, 0], [batch, length]);
      const labels_N = tf.reshape(tf.slice(rows_BT, [0, 1], [batch, length]), [-1]);
      const { value, grads } = tf.variableGrads(() => {
        const labels_NV = tf.oneHot(labels_N, config.vocabularySize);
        return tf.losses.softmaxCrossEntropy(labels_NV, logitsOf(variables, inputs_BT, config)).asScalar();
      });
      adam.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
      return value.dataSync()[0] ?? Number.NaN;
    });
}

/** The engine of tfjs is global: the package registers its backend with the tfjs that is loaded here. */
async function loadNative(packageDirectory: string): Promise<void> {
  // Node 23 dropped two functions that the package still calls.
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
  createRequire(import.meta.url)(packageDirectory);
  await tf.setBackend('tensorflow');
}

const [task, options] = JSON.parse(process.argv[2] ?? '') as [TrainTask, EngineOptions];
answer(await train(task, options));
