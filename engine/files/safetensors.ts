/**
 * Reads tensors of a safetensors file, or of the shards that a model.safetensors.index.json names, one at a time: opening reads
 * headers only, and a tensor costs the memory of its own result. Files may exceed 2 GiB; one read asks for at most 1 GiB.
 */
import type { FileHandle } from 'node:fs/promises';
import { NightstillError } from '../../config/errors.js';
import { elementBytes, isFloatFormat, widen } from './number-formats.js';
import { openRegularFile, readText } from './regular-file.js';
import {
  headerBytes,
  invalidFile,
  maximumHeaderBytes,
  parseHeader,
  prefixBytes,
  type SafetensorsHeader,
  type TensorDescription,
  type TensorPlace,
} from './safetensors-header.js';
import { parseShardIndex, shardPath } from './shard-index.js';

export interface TensorSource {
  /** Names of all tensors, in the order of the file. */
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly has: (name: string) => boolean;
  /** @throws safetensors-invalid when there is no such tensor; so do all that follow. */
  readonly describe: (name: string) => TensorDescription;
  /** The bytes of a tensor as they are in the file (little-endian, row-major). */
  readonly read: (name: string) => Promise<Uint8Array>;
  /** The bytes of `rows` rows from `firstRow` on; a row is one index of the first dimension. */
  readonly readRows: (name: string, firstRow: number, rows: number) => Promise<Uint8Array>;
  /** The values of an F32, F16 or BF16 tensor. @throws model-unsupported for other formats. */
  readonly readFloat32: (name: string) => Promise<Float32Array>;
  /** @param into is filled and returned, where there is one; of the length of the rows */
  readonly readFloat32Rows: (
    name: string,
    firstRow: number,
    rows: number,
    into?: Float32Array,
  ) => Promise<Float32Array>;
  readonly close: () => Promise<void>;
}

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly header: SafetensorsHeader;
}

interface Location {
  readonly file: OpenFile;
  readonly place: TensorPlace;
}

const maximumReadBytes = 2 ** 30;
const maximumIndexBytes = maximumHeaderBytes;

/**
 * @param path a .safetensors file, or an index.json with its shards beside it.
 * @throws model-file-missing when a file cannot be opened; safetensors-invalid when one is damaged or hostile;
 *   model-unsupported when a tensor is of a format that is not known.
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  if (!path.endsWith('.json')) return sourceOf([await openFile(path)]);
  const text = await readText(path, { maximumBytes: maximumIndexBytes, otherwise: 'safetensors-invalid' });
  const index = parseShardIndex(text, path);
  const files: OpenFile[] = [];
  try {
    for (const shard of new Set(index.values())) files.push(await openFile(shardPath(path, shard)));
    const source = sourceOf(files);
    checkIndex(index, files, path);
    return source;
  } catch (error) {
    await closeAll(files);
    throw error;
  }
}

async function openFile(path: string): Promise<OpenFile> {
  const { handle, bytes } = await openRegularFile(path);
  try {
    const prefix = await readAt(handle, new Uint8Array(Math.min(prefixBytes, bytes)), 0, path);
    const header = new Uint8Array(headerBytes(prefix, bytes, path));
    return { path, handle, header: parseHeader(await readAt(handle, header, prefixBytes, path), bytes, path) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Fills `target` from a position of the file on. */
async function readAt<Target extends Uint8Array>(handle: FileHandle, target: Target, position: number, path: string) {
  for (let filled = 0; filled < target.byteLength;) {
    const length = Math.min(maximumReadBytes, target.byteLength - filled);
    const { bytesRead } = await handle.read(target, filled, length, position + filled);
    if (bytesRead === 0) throw invalidFile(path, 'the file to stay as it was when it was opened, found it shorter');
    filled += bytesRead;
  }
  return target;
}

/** The tensors that the index names and those of the shards are the same, each in its place. */
function checkIndex(index: ReadonlyMap<string, string>, files: readonly OpenFile[], path: string): void {
  const found = new Map(files.flatMap((file) => [...file.header.tensors.keys()].map((name) => [name, file.path])));
  for (const [name, shard] of index)
    if (found.get(name) !== shardPath(path, shard))
      throw invalidFile(path, `tensor ${JSON.stringify(name)} in ${shard}`);
  const unnamed = [...found].find(([name]) => !index.has(name));
  if (unnamed !== undefined)
    throw invalidFile(path, `every tensor of ${unnamed[1]} in the index, found ${JSON.stringify(unnamed[0])}`);
}

function locate(files: readonly OpenFile[]): ReadonlyMap<string, Location> {
  const locations = new Map<string, Location>();
  for (const file of files)
    for (const [name, place] of file.header.tensors) {
      if (locations.has(name)) throw invalidFile(file.path, `each tensor once, found ${JSON.stringify(name)} again`);
      locations.set(name, { file, place });
    }
  return locations;
}

function sourceOf(files: readonly OpenFile[]): TensorSource {
  const locations = locate(files);
  const find = (name: string): Location => {
    const location = locations.get(name);
    if (location !== undefined) return location;
    throw invalidFile(files[0]?.path ?? '', `a tensor ${JSON.stringify(name)}, found none`);
  };
  return {
    names: [...locations.keys()],
    metadata: Object.fromEntries(files.flatMap(({ header }) => Object.entries(header.metadata))),
    has: (name) => locations.has(name),
    describe: (name) => {
      const { dtype, shape, bytes } = find(name).place;
      return { dtype, shape, bytes };
    },
    read: async (name) => {
      const { file, place } = find(name);
      return readAt(file.handle, new Uint8Array(place.bytes), place.offset, file.path);
    },
    readRows: async (name, firstRow, rows) => {
      const { file, place } = rowsOf(find(name), name, firstRow, rows);
      return readAt(file.handle, new Uint8Array(place.bytes), place.offset, file.path);
    },
    readFloat32: async (name) => readValues(find(name), name),
    readFloat32Rows: async (name, firstRow, rows, into) =>
      readValues(rowsOf(find(name), name, firstRow, rows), name, into),
    close: () => closeAll(files),
  };
}

function rowsOf({ file, place }: Location, name: string, firstRow: number, rows: number): Location {
  const [total = 1, ...inner] = place.shape;
  const whole = Number.isInteger(firstRow) && Number.isInteger(rows);
  if (!whole || firstRow < 0 || rows < 0 || firstRow + rows > total)
    throw invalidFile(file.path, `rows within 0 … ${total} of ${JSON.stringify(name)}, found ${firstRow} + ${rows}`);
  const rowBytes = total === 0 ? 0 : place.bytes / total;
  const shape = [rows, ...inner];
  return { file, place: { ...place, shape, bytes: rows * rowBytes, offset: place.offset + firstRow * rowBytes } };
}

async function readValues({ file, place }: Location, name: string, into?: Float32Array): Promise<Float32Array> {
  const { dtype, bytes, offset } = place;
  if (!isFloatFormat(dtype))
    throw new NightstillError(
      'model-unsupported',
      `${file.path}: tensor ${JSON.stringify(name)} is of ${dtype}; only F32, F16 and BF16 become float32.`,
    );
  const values = into ?? new Float32Array(bytes / elementBytes[dtype]);
  if (values.length * elementBytes[dtype] !== bytes)
    throw new TypeError(`expected room for the ${bytes} bytes of ${name}, found ${values.length} elements`);
  // Narrow numbers are read into the end of their own result, and widen in place from its beginning on.
  const end = new Uint8Array(values.buffer, values.byteOffset + values.byteLength - bytes, bytes);
  widen(await readAt(file.handle, end, offset, file.path), dtype, values);
  return values;
}

async function closeAll(files: readonly OpenFile[]): Promise<void> {
  await Promise.all(files.map(({ handle }) => handle.close()));
}
