/**
 * The process that trains the student's first weights: from random ones, on what `base-lessons.ts` makes. It prints loss and speed,
 * and ends with a model directory. A few minutes: it begins anew when it was interrupted.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createConversationEncoder,
  initialWeight,
  labelsObjective,
  openChatTemplate,
  openShards,
  openTokenizer,
  parameterCount,
  readModelConfig,
  sampleSteps,
  Trainer,
  writeModelDirectory,
  writeShards,
} from '../../engine/index.js';
import { chooseRunner } from '../engine/choose-runner.js';
import type { BaseJob } from './base-job.js';
import { makeBaseLessons } from './base-lessons.js';
import { studentConfig, teacherDirectory } from './student.js';

const { directory, lessons, steps, seed, threads } = JSON.parse(process.argv[2] ?? '') as BaseJob; // of our own making
const shape = { rows: 16, tokens: 128, microBatches: 1 };
const config = studentConfig(await readModelConfig(join(teacherDirectory, 'config.json')));
const tokenizer = await openTokenizer(teacherDirectory);
const encoder = createConversationEncoder({ tokenizer, template: await openChatTemplate(teacherDirectory) });

const folder = await mkdtemp(join(tmpdir(), 'nightstill-base-'));
try {
  await writeShards(join(folder, 'shards'), makeBaseLessons(seed, lessons), encoder, { maximumTokens: shape.tokens });
  const shards = await openShards(join(folder, 'shards'));
  const trainer = await Trainer.create({
    runner: await chooseRunner(join(folder, 'cache'), threads),
    config,
    shape,
    objective: labelsObjective(),
    optimizer: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: { value: 0.1 }, maximumGradientNorm: 1 },
    schedule: { kind: 'cosine', peak: 3e-3, totalSteps: steps, warmUp: { ratio: 0.05 }, minimumRatio: 0.1 },
    source: sampleSteps(shards, {
      vocabularySize: tokenizer.vocabularySize,
      seed,
      epochs: 1000,
      rows: shape.rows,
      columns: shape.tokens,
      microBatches: shape.microBatches,
    }),
    xla: false,
  });
  await trainer.load((name) => initialWeight(config, name, { seed, standardDeviation: 0.04 }));
  console.log(`${parameterCount(config)} random weights, ${shards.samples} lessons`);
  for await (const event of trainer.run(steps))
    if (event.kind === 'step' && event.step % 100 === 0)
      console.log(`step ${event.step}: loss ${event.loss.toFixed(4)}, ${event.tokensPerSecond.toFixed(0)} tokens/s`);
  await rm(directory, { recursive: true, force: true });
  await writeModelDirectory(directory, {
    config,
    values: (name) => trainer.read(name),
    tokenizerFrom: teacherDirectory,
    format: 'bfloat16',
  });
  trainer.dispose();
  await shards.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
