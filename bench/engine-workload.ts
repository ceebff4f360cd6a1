/** What both sides of the engine's bench read: model directories with one set of weights, and files of token ids. */
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom, type Random } from '../engine/training/random.js';
import { hubConfig, modelShapes, shapeOf, weightShapes, type ModelName, type ModelShape } from './engine-models.js';

const embeddingDeviation = 0.02;
const repeatChance = 0.5;

/** A Hugging Face directory (`config.json`, `model.safetensors`) with seeded random weights. */
export async function writeModel(directory: string, name: ModelName): Promise<void> {
  const shape = modelShapes[name];
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'config.json'), JSON.stringify(hubConfig(shape), null, 2));
  const shapes = Object.entries(weightShapes(shape));
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [weight, dimensions] of shapes) {
    const bytes = 4 * elements(dimensions);
    header[weight] = { dtype: 'F32', shape: dimensions, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = await open(join(directory, 'model.safetensors'), 'w');
  try {
    await file.write(Buffer.concat([length, text]));
    for (const [weight, dimensions] of shapes) await file.write(initialValues(weight, dimensions));
  } finally {
    await file.close();
  }
}

const elements = (dimensions: readonly number[]): number => dimensions.reduce((product, size) => product * size, 1);

function initialValues(name: string, dimensions: readonly number[]): Uint8Array {
  const random = createRandom(1, name);
  const values = new Float32Array(elements(dimensions));
  if (dimensions.length === 1) return new Uint8Array(values.fill(1).buffer);
  // Layers as loud as this let the next token depend on more than the last one, so that generated tokens tell something.
  const deviation = name.includes('embed') ? embeddingDeviation : (dimensions[1] ?? 1) ** -0.5;
  for (let index = 0; index < values.length; index += 1) values[index] = deviation * random.normal();
  return new Uint8Array(values.buffer);
}

export interface Model {
  readonly shape: ModelShape;
  readonly weights: Readonly<Record<string, { readonly dimensions: readonly number[]; readonly values: Float32Array }>>;
}

/** Reads what `writeModel` wrote, and nothing else. */
export async function readModel(directory: string): Promise<Model> {
  const config = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8')) as ReturnType<typeof hubConfig>;
  const shape = shapeOf(config);
  const file = await readFile(join(directory, 'model.safetensors'));
  let offset = 8 + Number(file.readBigUInt64LE(0));
  const weights: Record<string, Model['weights'][string]> = {};
  for (const [name, dimensions] of Object.entries(weightShapes(shape))) {
    const values = new Float32Array(elements(dimensions));
    new Uint8Array(values.buffer).set(file.subarray(offset, offset + values.byteLength));
    weights[name] = { dimensions, values };
    offset += values.byteLength;
  }
  return { shape, weights };
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
