/** Training steps by the engine: the model's function compiled once, weights and moments inside the session. */
import { join } from 'node:path';
import { compile, kernelsRunner, tensorflowRunner, tf, type Runner, type TensorSpec } from '../engine/index.js';
import {
  adamwUpdates,
  biasCorrections,
  firstMomentName,
  secondMomentName,
  type AdamWSettings,
} from '../engine/training/adamw.js';
import { sparseCrossEntropy } from '../engine/kernels/sparse-cross-entropy.js';
import { hiddenStates, logits } from '../engine/models/decoder.js';
import { memoryBytes, resetPeak, type EngineOptions, type Measurement, type TrainTask } from './engine-measurement.js';
import { readModel, readRows, type Model } from './engine-workload.js';
import { median } from './report.js';

export async function train(task: TrainTask, options: EngineOptions): Promise<Measurement> {
  const runner = createRunner(options);
  const idleBytes = memoryBytes('VmRSS');
  const rows = await readRows(task.ids, task.batch * (task.length + 1));
  const { step, compileMs } = await compiledStep(task, options, runner);
  resetPeak();
  const losses: number[] = [];
  const timesMs: number[] = [];
  for (const [index, row] of rows.entries()) {
    const started = performance.now();
    losses.push(step(row, index + 1));
    timesMs.push(performance.now() - started);
  }
  const timed = timesMs.slice(task.warmupSteps);
  return {
    losses,
    compileMs,
    firstMs: timesMs[0] ?? Number.NaN,
    bestMs: Math.min(...timed),
    medianMs: median(timed),
    idleBytes,
    peakBytes: memoryBytes('VmHWM'),
  };
}

function createRunner({ backend, packageDirectory, cacheDirectory }: EngineOptions): Runner {
  if (backend === 'wasm') return kernelsRunner({ backend });
  if (packageDirectory === undefined) throw new Error('TensorFlow is not installed: npm run setup');
  return tensorflowRunner({ packageDirectory, cacheDirectory: join(cacheDirectory, 'programs') });
}

const scalar: TensorSpec = { shape: [], dtype: 'float32' };

async function compiledStep(task: TrainTask, { xla }: EngineOptions, runner: Runner) {
  const { batch, length, optimizer, bfloat16 } = task;
  const model = await readModel(task.model);
  const settings: AdamWSettings = {
    ...optimizer,
    decay: { value: 0, rules: [{ names: '*', value: optimizer.weightDecay }] },
  };
  const started = performance.now();
  const session = await compile({
    runner,
    state: stateOf(model),
    programs: {
      train: {
        xla,
        precision: bfloat16 ? 'bfloat16' : 'float32',
        inputs: {
          rows_BT: { shape: [batch, length + 1], dtype: 'int32' },
          learningRate: scalar,
          biasCorrection1: scalar,
          biasCorrection2: scalar,
        },
        run: (state, inputs) => trainingStep(state, inputs, model, settings),
      },
    },
  });
  const compileMs = performance.now() - started;
  session.write(Object.fromEntries(Object.entries(model.weights).map(([name, { values }]) => [name, values])));
  const step = (rows_BT: Int32Array, update: number): number => {
    const { biasCorrection1, biasCorrection2 } = biasCorrections(settings, update);
    const { loss } = session.run('train', {
      rows_BT,
      learningRate: Float32Array.of(optimizer.learningRate),
      biasCorrection1: Float32Array.of(biasCorrection1),
      biasCorrection2: Float32Array.of(biasCorrection2),
    });
    return loss?.[0] ?? Number.NaN;
  };
  return { step, compileMs };
}

function stateOf({ weights }: Model): Record<string, TensorSpec> {
  const state: Record<string, TensorSpec> = {};
  for (const [name, { dimensions }] of Object.entries(weights))
    for (const variable of [name, firstMomentName(name), secondMomentName(name)])
      state[variable] = { shape: dimensions, dtype: 'float32' };
  return state;
}

type Tensors = Readonly<Record<string, tf.Tensor>>;

function trainingStep(state: Tensors, inputs: Tensors, { config, weights }: Model, settings: AdamWSettings) {
  const names = Object.keys(weights);
  const { rows_BT, learningRate, biasCorrection1, biasCorrection2 } = inputs;
  if (rows_BT === undefined) throw new TypeError('expected rows of ids');
  const [batch = 0, rowLength = 0] = rows_BT.shape;
  const inputs_BT = tf.slice(rows_BT, [0, 0], [batch, rowLength - 1]).as2D(batch, rowLength - 1);
  const labels_N = tf.reshape(tf.slice(rows_BT, [0, 1], [batch, rowLength - 1]), [-1]).as1D();
  const positions_BT = tf
    .tile(tf.range(0, rowLength - 1, 1, 'int32').expandDims(0), [batch, 1])
    .as2D(batch, rowLength - 1);
  const lossOf = (...values: tf.Tensor[]): tf.Scalar => {
    const named = Object.fromEntries(names.map((name, index) => [name, values[index] ?? tf.scalar(0)]));
    const hidden_ND = hiddenStates(config, named, { ids_BT: inputs_BT, positions_BT });
    return tf.mean<tf.Scalar>(sparseCrossEntropy(logits(config, named, hidden_ND), labels_N));
  };
  const { value, grads } = tf.valueAndGrads(lossOf)(names.map((name) => state[name] ?? tf.scalar(0)));
  const { updates } = adamwUpdates({
    state,
    gradients: Object.fromEntries(names.map((name, index) => [name, grads[index] ?? tf.scalar(0)])),
    scalars: {
      learningRate: asScalar(learningRate),
      biasCorrection1: asScalar(biasCorrection1),
      biasCorrection2: asScalar(biasCorrection2),
    },
    settings,
  });
  return { outputs: { loss: value }, updates };
}

function asScalar(tensor: tf.Tensor | undefined): tf.Scalar {
  if (tensor === undefined) throw new TypeError('expected a scalar');
  return tensor.asScalar();
}
