/** What both sides of the engine's bench read: model directories with one set of weights, and files of token ids. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { openModelDirectory, writeModelDirectory } from '../engine/files/model-directory.js';
import type { ModelConfig } from '../engine/files/model-config.js';
import { initialWeight } from '../engine/models/initialise.js';
import { expectedTensors } from '../engine/files/model-tensors.js';
import { createRandom, type Random } from '../engine/training/random.js';
import { configOf, modelShapes, type ModelName } from './engine-models.js';

const embeddingDeviation = 0.02;
const repeatChance = 0.5;

/**
 * A Hugging Face directory with seeded random weights, unless it is there. Layers as loud as these let the next token depend on
 * more than the last one, so that generated tokens tell something.
 */
export async function writeModel(directory: string, name: ModelName): Promise<void> {
  if (existsSync(directory)) return;
  const config = configOf(modelShapes[name]);
  const shapes = expectedTensors(config);
  await writeModelDirectory(directory, {
    config,
    values: (weight) => {
      const standardDeviation = weight.includes('embed') ? embeddingDeviation : (shapes.get(weight)?.[1] ?? 1) ** -0.5;
      return initialWeight(config, weight, { seed: 1, standardDeviation });
    },
  });
}

export interface Model {
  readonly config: ModelConfig;
  readonly weights: Readonly<Record<string, { readonly dimensions: readonly number[]; readonly values: Float32Array }>>;
}

export async function readModel(path: string): Promise<Model> {
  const { config, tensors, tensorNames, close } = await openModelDirectory(path);
  const weights: Record<string, Model['weights'][string]> = {};
  for (const name of tensorNames)
    weights[name] = { dimensions: tensors.describe(name).shape, values: await tensors.readFloat32(name) };
  await close();
  return { config, weights };
}

/** The ids of a file that `writeIds` wrote, as rows of one length. */
export async function readRows(path: string, rowLength: number): Promise<readonly Int32Array[]> {
  const file = await readFile(path);
  const ids = new Int32Array(file.buffer, file.byteOffset, file.byteLength / 4);
  return Array.from({ length: ids.length / rowLength }, (_, row) => ids.slice(row * rowLength, (row + 1) * rowLength));
}

/** Sequences end to end, int32: frequent ids are small, and every other one follows from its predecessor, so there is something to learn. */
export async function writeIds(path: string, lengths: readonly number[], vocabularySize: number): Promise<void> {
  const random = createRandom(2, 'ids');
  const sequences = lengths.map((length) => sequence(random, length, vocabularySize));
  await writeFile(path, Buffer.concat(sequences.map((ids) => new Uint8Array(ids.buffer))));
}

function sequence(random: Random, length: number, vocabularySize: number): Int32Array {
  const ids = new Int32Array(length);
  let previous = 0;
  for (let index = 0; index < length; index += 1) {
    const follows = random.uniform() < repeatChance;
    previous = follows ? (previous * 7 + 3) % vocabularySize : Math.floor(vocabularySize * random.uniform() ** 3);
    ids[index] = previous;
  }
  return ids;
}

/** Log-uniform lengths: many short sequences, a few long ones. */
export function mixedLengths(count: number, shortest: number, longest: number): readonly number[] {
  const random = createRandom(3, 'lengths');
  return Array.from({ length: count }, () => Math.round(shortest * (longest / shortest) ** random.uniform()));
}
