/**
 * One training process: goes on from the state it finds in its directory, or begins with random weights; keeps its state now and
 * then; ends with a model directory that transformers loads as well. What happens, it tells the process that forked it.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
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
import { chooseRunner } from './choose-runner.js';
import type { Job, Message } from './train.js';

const job = JSON.parse(process.argv[2] ?? '') as Job; // of our own making
const { directory, data, steps, saveEvery, layers, hiddenSize, tokens, threads } = job;
const tell = (message: Message): void => void process.send?.(message);

const tokenizer = await openTokenizer(join(data, 'tokenizer'));
const shards = await openShards(join(data, 'shards'));
const config: ModelConfig = {
  family: 'qwen3',
  vocabularySize: tokenizer.vocabularySize,
  hiddenSize,
  intermediateSize: 3 * hiddenSize,
  layers,
  heads: hiddenSize / 32,
  keyValueHeads: hiddenSize / 64,
  headSize: 32,
  maximumPositions: 1024,
  rmsNormEpsilon: 1e-6,
  tiedEmbeddings: true,
  rope: { theta: 10_000 },
  attentionBias: { qkv: false, output: false },
  mlpBias: false,
  endOfSequence: [tokenizer.idOf('<|endoftext|>') ?? 0],
};
const runner = await chooseRunner(join(data, 'cache'), threads);
const shape = { rows: 2, tokens, microBatches: 2 };
const trainer = await Trainer.create({
  runner,
  config,
  shape,
  objective: labelsObjective(),
  optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: { value: 0.1 }, maximumGradientNorm: 1 },
  schedule: { kind: 'cosine', peak: 1e-3, totalSteps: steps, warmUp: { ratio: 0.05 }, minimumRatio: 0.1 },
  source: sampleSteps(shards, {
    vocabularySize: tokenizer.vocabularySize,
    seed: 1,
    epochs: 10_000,
    rows: shape.rows,
    columns: tokens,
    microBatches: shape.microBatches,
  }),
  xla: false,
});

const stateFile = join(directory, 'state.safetensors');
if (existsSync(stateFile)) {
  const state = await openTrainingState(stateFile);
  const differences = await trainer.restore(state); // empty: the machine computes the same bits
  await state.close();
  tell({ kind: 'begun', text: `goes on after step ${trainer.step} ${differences.join(', ')}` });
} else {
  await trainer.load((name) => initialWeight(config, name, { seed: 1, standardDeviation: 0.04 }));
  tell({ kind: 'begun', text: `${parameterCount(config)} random weights, computed by ${runner.name}` });
}

for await (const event of trainer.run(steps)) {
  tell(event);
  if (event.kind === 'step' && event.step % saveEvery === 0) await writeTrainingState(stateFile, trainer.capture());
}

const digest = createHash('sha256');
for (const [, { buffer, byteOffset, byteLength }] of Object.entries(trainer.capture().tensors))
  digest.update(new Uint8Array(buffer, byteOffset, byteLength));
await writeModelDirectory(join(directory, 'model'), {
  config,
  values: (name) => trainer.read(name),
  tokenizerFrom: join(data, 'tokenizer'),
});
tell({ kind: 'ended', digest: digest.digest('hex') });
trainer.dispose();
await shards.close();
