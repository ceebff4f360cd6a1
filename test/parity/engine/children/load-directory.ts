/** Opens a model directory and loads it as a trainer or a generator does; prints by how much memory peaked meanwhile. */
import { join } from 'node:path';
import { readModelConfig, type ModelConfig } from '../../../../engine/files/model-config.js';
import { openModelDirectory } from '../../../../engine/files/model-directory.js';
import { createGenerator } from '../../../../engine/generation/generator.js';
import type { NumbersSource } from '../../../../engine/runners/runner.js';
import { tensorflowRunner } from '../../../../engine/runners/tensorflow.js';
import { labelsObjective } from '../../../../engine/training/objective.js';
import { Trainer } from '../../../../engine/training/trainer.js';
import { tinyConfig, tinyOptions } from '../../../support/tiny-run.js';
import { sizeOf } from '../../../../engine/tracing/tensor-spec.js';
import { expectedTensors } from '../../../../engine/files/model-tensors.js';
import { forgetPeak, peakBytes, residentBytes } from './memory.js';

const [packageDirectory = '', cacheDirectory = '', kind = '', directory = ''] = process.argv.slice(2);
const runner = tensorflowRunner({ packageDirectory, cacheDirectory });

/** Opens the directory and loads it; the base is a process that has compiled, where the two can be told apart. */
interface Opened {
  readonly base: number;
  /** Does what was loaded have the values of the file? */
  readonly check: () => Promise<void>;
  readonly dispose: () => void;
}

/** The base of a process that begins now. */
function begin(): number {
  globalThis.gc?.();
  forgetPeak();
  return residentBytes();
}

async function openTrainer(config: ModelConfig, weights: () => Promise<NumbersSource>): Promise<Opened> {
  const options = { ...tinyOptions({ runner }), config, objective: labelsObjective() };
  const trainer = await Trainer.create(options);
  const base = begin();
  const source = await weights();
  await trainer.load(source);
  const check = async (): Promise<void> => {
    for (const [name, shape] of expectedTensors(config)) {
      const [found, expected] = [trainer.read(name), await source(name, 0, shape[0] ?? 1)];
      if (Buffer.compare(Buffer.from(found.buffer), Buffer.from(expected.buffer)) !== 0)
        throw new Error(`${name} is not what the file holds`);
    }
  };
  return { base, check, dispose: () => trainer.dispose() };
}

async function openGenerator(config: ModelConfig, weights: () => Promise<NumbersSource>): Promise<Opened> {
  const base = begin();
  const shape = { slots: 1, capacity: 16, promptLengths: [8] };
  const generator = await createGenerator({ runner, config, weights: await weights(), ...shape });
  const check = async (): Promise<void> => {
    let tokens = 0;
    for await (const event of generator.generate({ prompt: Int32Array.of(1, 2), maximumNewTokens: 2 }))
      if (event.kind === 'token') tokens += 1;
    if (tokens === 0) throw new Error('expected tokens');
  };
  return { base, check, dispose: () => generator.dispose() };
}

const open = kind === 'trainer' ? openTrainer : openGenerator;
const zeros: NumbersSource = (name) => new Float32Array(sizeOf(expectedTensors(tinyConfig).get(name) ?? []));
const small = await open(tinyConfig, () => Promise.resolve(zeros));
await small.check();
small.dispose();

const config = await readModelConfig(join(directory, 'config.json'));
const opened = await open(config, async () => (await openModelDirectory(directory)).tensors.readFloat32Rows);
const peak = peakBytes() - opened.base;
await opened.check();
const modelBytes = [...expectedTensors(config).values()].reduce((sum, shape) => sum + 4 * sizeOf(shape), 0);
console.log(JSON.stringify({ modelBytes, peakBytes: peak }));
