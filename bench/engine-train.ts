/** Training steps by the engine, as its users make them: a trainer over a model directory, one row of ids a sample. */
import { join } from 'node:path';
import {
  kernelsRunner,
  labelsObjective,
  openModelDirectory,
  tensorflowRunner,
  Trainer,
  type Runner,
  type StepSource,
} from '../engine/index.js';
import { memoryBytes, resetPeak, type EngineOptions, type Measurement, type TrainTask } from './engine-measurement.js';
import { readRows } from './engine-workload.js';
import { median } from './report.js';

/** The logits of a batch are made in so many pieces: at a vocabulary of 4,096 for memory's sake, at no cost in time. */
const vocabularyChunks = 4;

export async function train(task: TrainTask, options: EngineOptions): Promise<Measurement> {
  const runner = createRunner(options);
  const idleBytes = memoryBytes('VmRSS');
  const { trainer, compileMs } = await createTrainer(task, options, runner);
  resetPeak();
  const losses: number[] = [];
  const timesMs: number[] = [];
  let started = performance.now();
  for await (const event of trainer.run(task.steps)) {
    if (event.kind !== 'step') continue;
    timesMs.push(performance.now() - started);
    losses.push(event.loss);
    started = performance.now();
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

export function createRunner({ backend, packageDirectory, cacheDirectory }: EngineOptions): Runner {
  if (backend === 'wasm') return kernelsRunner({ backend });
  if (packageDirectory === undefined) throw new Error('TensorFlow is not installed: npm run setup');
  return tensorflowRunner({ packageDirectory, cacheDirectory: join(cacheDirectory, 'programs') });
}

async function createTrainer(task: TrainTask, { xla }: EngineOptions, runner: Runner) {
  const { batch, length, optimizer, bfloat16, steps } = task;
  const model = await openModelDirectory(task.model);
  const rows = await readRows(task.ids, batch * (length + 1));
  const { vocabularySize } = model.config;
  const started = performance.now();
  const trainer = await Trainer.create({
    runner,
    config: model.config,
    shape: { rows: batch, tokens: length, microBatches: 1 },
    objective: labelsObjective(),
    optimizer: { ...optimizer, decay: { value: 0, rules: [{ names: '*', value: optimizer.weightDecay }] } },
    schedule: { kind: 'constant', peak: optimizer.learningRate, totalSteps: steps },
    source: rowSource(rows, batch, length, vocabularySize),
    vocabularyChunks,
    xla,
    precision: bfloat16 ? 'bfloat16' : 'float32',
  });
  const compileMs = performance.now() - started;
  await trainer.load((name) => model.tensors.readFloat32(name));
  await model.close();
  return { trainer, compileMs };
}

/** One step a row of ids; every token but the first of each text is learned. */
function rowSource(rows: readonly Int32Array[], batch: number, length: number, vocabularySize: number): StepSource {
  const pick = (row: Int32Array, shift: number) =>
    Int32Array.from({ length: batch * length }, (_, place) => {
      const text = Math.floor(place / length);
      return row[text * (length + 1) + (place % length) + shift] ?? 0;
    });
  const tokens = batch * length;
  const shared = {
    positions: Int32Array.from({ length: tokens }, (_, place) => place % length),
    segments: new Int32Array(tokens).fill(1),
    weights: new Float32Array(tokens).fill(1),
    tokens,
  };
  return {
    vocabularySize,
    async *steps() {
      for (const row of rows)
        yield {
          microBatches: [{ ...shared, ids: pick(row, 0), labels: pick(row, 1) }],
          firstMicroBatch: 0,
          trainedTokens: tokens,
          cursorAfter: () => null,
        };
    },
  };
}
