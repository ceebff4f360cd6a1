/**
 * The process that trains the teacher: begins at random or goes on after the last state that was kept, prints loss, speed and
 * accuracy on validation questions, and ends with a model directory in bfloat16.
 */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  initialWeight,
  labelsObjective,
  openShards,
  openTokenizer,
  openTrainingState,
  parameterCount,
  sampleSteps,
  Trainer,
  writeModelDirectory,
  writeTrainingState,
  type ModelConfig,
} from '../../engine/index.js';
import { chooseRunner } from '../engine/choose-runner.js';
import { measureAccuracy } from './accuracy.js';
import type { Item } from './items.js';
import { rowTokens, type TeacherJob } from './teacher-job.js';

const job = JSON.parse(process.argv[2] ?? '') as TeacherJob; // of our own making
const data = join(job.folder, 'data');
const tokenizer = await openTokenizer(join(data, 'tokenizer'));
const shards = await openShards(join(data, 'shards'));
const database = await readFile(join(data, 'shop.sqlite'));
const validation = JSON.parse(await readFile(join(data, 'validation.json'), 'utf8')) as readonly Item[];

const endOfAnswer = tokenizer.idOf('<|im_end|>');
if (endOfAnswer === undefined) throw new Error('expected the token <|im_end|>, found none');
const config: ModelConfig = {
  family: 'qwen3',
  vocabularySize: tokenizer.vocabularySize,
  hiddenSize: 192,
  intermediateSize: 512,
  layers: 6,
  heads: 6,
  keyValueHeads: 2,
  headSize: 32,
  maximumPositions: 512,
  rmsNormEpsilon: 1e-6,
  tiedEmbeddings: true,
  rope: { theta: 10_000 },
  attentionBias: { qkv: false, output: false },
  mlpBias: false,
  endOfSequence: [endOfAnswer],
};
const runner = await chooseRunner(join(job.folder, 'cache'), job.threads);
const shape = { rows: 8, tokens: rowTokens, microBatches: 1 };
const trainer = await Trainer.create({
  runner,
  config,
  shape,
  objective: labelsObjective(),
  optimizer: { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: { value: 0.05 }, maximumGradientNorm: 1 },
  schedule: { kind: 'cosine', peak: 2e-3, totalSteps: job.steps, warmUp: { steps: 100 }, minimumRatio: 0.02 },
  source: sampleSteps(shards, {
    vocabularySize: tokenizer.vocabularySize,
    seed: job.seed,
    epochs: 10_000,
    rows: shape.rows,
    columns: rowTokens,
    microBatches: shape.microBatches,
  }),
  xla: false,
});

const stateFile = join(job.folder, 'state.safetensors');
if (existsSync(stateFile)) {
  const state = await openTrainingState(stateFile);
  await trainer.restore(state);
  await state.close();
  console.log(`goes on after step ${trainer.step}`);
} else {
  await trainer.load((name) => initialWeight(config, name, { seed: job.seed, standardDeviation: 0.04 }));
  console.log(`${parameterCount(config)} random weights, computed by ${runner.name}`);
}

const model = join(job.folder, 'model');
async function report(count: number): Promise<void> {
  const weights = (name: string): Promise<Float32Array> => Promise.resolve(trainer.read(name));
  const { right, of } = await measureAccuracy({
    runner,
    config,
    weights,
    tokenizer,
    database,
    items: validation.slice(0, count),
  });
  console.log(
    `step ${trainer.step}: ${right} of ${of} validation questions right (${((100 * right) / of).toFixed(1)} %)`,
  );
}

const losses: number[] = [];
for await (const event of trainer.run(job.steps)) {
  if (event.kind !== 'step') continue;
  losses.push(event.loss);
  if (event.step % Math.min(50, job.saveEvery) === 0) {
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    console.log(`step ${event.step}: loss ${mean.toFixed(4)}, ${event.tokensPerSecond.toFixed(0)} tokens/s`);
    losses.length = 0;
  }
  if (event.step % job.saveEvery === 0) await writeTrainingState(stateFile, trainer.capture());
  if (event.step % job.evaluateEvery === 0 && event.step < job.steps) await report(100);
}
await report(validation.length);
await rm(model, { recursive: true, force: true }); // of a run that ended before
await writeModelDirectory(model, {
  config,
  values: (name) => trainer.read(name),
  tokenizerFrom: join(data, 'tokenizer'),
  format: 'bfloat16',
});
console.log(`the teacher is in ${model}`);
trainer.dispose();
await shards.close();
