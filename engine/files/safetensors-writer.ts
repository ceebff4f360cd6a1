/**
 * Writes safetensors: tensors are asked for one at a time, so that a model needs no second copy in memory. Equal tensors and
 * metadata give equal bytes, in the order of the format's own library (wide formats first, then by name). A file is there
 * complete or not at all; of shards, the index comes last.
 */
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { NightstillError } from '../../config/errors.js';
import { writeAtomically, writeTextAtomically } from './atomic-file.js';
import { elementBytes, narrow, type FloatFormat, type NumberFormat } from './number-formats.js';
import { prefixBytes } from './safetensors-header.js';

export interface TensorToWrite {
  readonly name: string;
  readonly dtype: NumberFormat;
  readonly shape: readonly number[];
  /** The bytes, row-major and little-endian, whole or in pieces. Called once, when their turn has come. */
  readonly data: () => Uint8Array | Promise<Uint8Array> | AsyncIterable<Uint8Array>;
}

export interface ShardOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** A file grows no larger than this unless one tensor alone does. Default 5 GB, as transformers has it. */
  readonly maximumShardBytes?: number;
}

const alignment = 8;
const defaultShardBytes = 5e9;

/** A tensor of float32 values, rounded to a format while it is written. */
export const float32Tensor = (
  name: string,
  shape: readonly number[],
  values: () => Float32Array | Promise<Float32Array>,
  format: FloatFormat = 'F32',
): TensorToWrite => ({ name, shape, dtype: format, data: () => narrowed(values, format) });

/** Values that are rounded at a time: what is held beside them. */
const valuesAtATime = 2 ** 20;

async function* narrowed(
  values: () => Float32Array | Promise<Float32Array>,
  format: FloatFormat,
): AsyncGenerator<Uint8Array> {
  const all = await values();
  const step = format === 'F32' ? Math.max(1, all.length) : valuesAtATime;
  for (let start = 0; start < all.length; start += step) yield narrow(all.subarray(start, start + step), format);
}

/**
 * Writes one file, replacing what is there in one step.
 * @throws safetensors-invalid when two tensors have one name, or a tensor's bytes do not fit its shape; output-failed.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const ordered = inOrder(tensors, path);
  const header = headerOf(ordered, metadata);
  await writeAtomically(path, async (file) => {
    await file.writeFile(header);
    for (const tensor of ordered) await writeTensor(file, tensor, path);
  });
}

/**
 * Writes model.safetensors, or model-00001-of-0000n.safetensors with their index when one file would be too large.
 * @returns the names of the files, the index last.
 */
export async function writeSafetensorsShards(
  directory: string,
  tensors: readonly TensorToWrite[],
  { metadata = {}, maximumShardBytes = defaultShardBytes }: ShardOptions = {},
): Promise<readonly string[]> {
  const shards = groupsWithin(inOrder(tensors, directory), maximumShardBytes);
  if (shards.length <= 1) {
    await writeSafetensors(join(directory, 'model.safetensors'), tensors, metadata);
    return ['model.safetensors'];
  }
  const digits = (value: number): string => String(value).padStart(5, '0');
  const names = shards.map((_, index) => `model-${digits(index + 1)}-of-${digits(shards.length)}.safetensors`);
  const weightMap: (readonly [string, string])[] = [];
  for (const [index, shard] of shards.entries()) {
    const name = names[index] ?? '';
    await writeSafetensors(join(directory, name), shard, metadata);
    weightMap.push(...shard.map((tensor) => [tensor.name, name] as const));
  }
  const index = {
    metadata: { total_size: tensors.reduce((total, tensor) => total + bytesOf(tensor), 0) },
    weight_map: Object.fromEntries(weightMap.toSorted(([a], [b]) => compareBytes(a, b))),
  };
  const indexName = 'model.safetensors.index.json';
  await writeTextAtomically(join(directory, indexName), `${JSON.stringify(index, undefined, 2)}\n`);
  return [...names, indexName];
}

const bytesOf = ({ dtype, shape }: TensorToWrite): number =>
  shape.reduce((product, size) => product * size, elementBytes[dtype]);

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function inOrder(tensors: readonly TensorToWrite[], path: string): readonly TensorToWrite[] {
  const names = new Set<string>();
  for (const tensor of tensors) {
    if (names.has(tensor.name) || tensor.name === '__metadata__') throw unwritable(path, tensor, 'a name of its own');
    const fits = tensor.shape.every((size) => Number.isSafeInteger(size) && size >= 0);
    if (!fits || !Number.isSafeInteger(bytesOf(tensor))) throw unwritable(path, tensor, 'a shape of whole numbers');
    names.add(tensor.name);
  }
  return tensors.toSorted((a, b) => typeRank(b.dtype) - typeRank(a.dtype) || compareBytes(a.name, b.name));
}

/** The order of types in the format's own library, from narrow to wide; tensors are laid out from the last to the first. */
const typesFromNarrowToWide: readonly NumberFormat[] = [
  'BOOL',
  'U8',
  'I8',
  'I16',
  'U16',
  'F16',
  'BF16',
  'I32',
  'U32',
  'F32',
  'F64',
  'I64',
  'U64',
];
const typeRank = (dtype: NumberFormat): number => typesFromNarrowToWide.indexOf(dtype);

function groupsWithin(tensors: readonly TensorToWrite[], maximumBytes: number): TensorToWrite[][] {
  const groups: TensorToWrite[][] = [];
  let left = 0;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor);
    const group = groups.at(-1);
    if (group === undefined || bytes > left) {
      groups.push([tensor]);
      left = maximumBytes - bytes;
    } else {
      group.push(tensor);
      left -= bytes;
    }
  }
  return groups;
}

function headerOf(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>>): Buffer {
  let offset = 0;
  const entries = tensors.map((tensor) => {
    const offsets = [offset, (offset += bytesOf(tensor))];
    return `${JSON.stringify(tensor.name)}:${JSON.stringify({ dtype: tensor.dtype, shape: tensor.shape, data_offsets: offsets })}`;
  });
  const facts = Object.entries(metadata).toSorted(([a], [b]) => compareBytes(a, b));
  if (facts.length > 0)
    entries.unshift(
      `"__metadata__":{${facts.map((fact) => fact.map((text) => JSON.stringify(text)).join(':')).join(',')}}`,
    );
  const json = Buffer.from(`{${entries.join(',')}}`);
  const padded = Math.ceil(json.byteLength / alignment) * alignment;
  const header = Buffer.alloc(prefixBytes + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(header, prefixBytes);
  return header;
}

async function writeTensor(file: FileHandle, tensor: TensorToWrite, path: string): Promise<void> {
  const data = await tensor.data();
  const pieces = data instanceof Uint8Array ? [data] : data;
  let written = 0;
  for await (const piece of pieces) {
    await writeAll(file, piece);
    written += piece.byteLength;
  }
  if (written !== bytesOf(tensor)) throw unwritable(path, tensor, `${bytesOf(tensor)} bytes, found ${written}`);
}

const maximumWriteBytes = 2 ** 30;

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) {
    const length = Math.min(maximumWriteBytes, bytes.byteLength - written);
    written += (await file.write(bytes, written, length)).bytesWritten;
  }
}

const unwritable = (path: string, { name, dtype, shape }: TensorToWrite, expected: string): NightstillError =>
  new NightstillError(
    'safetensors-invalid',
    `${path}: for tensor ${JSON.stringify(name)} (${dtype} [${shape.join(', ')}]) expected ${expected}.`,
  );
