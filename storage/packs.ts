/**
 * Named byte arrays cut into packs. The arrays of a group, in order of their names, form one stream; a pack is a stretch of
 * it, so that a thousand small tensors cost one request and one large tensor is spread over several. A frozen group (base
 * weights under LoRA) has packs of its own: their digests stay, so they are uploaded once.
 * Each pack also lists digests of its chunks, with which a reader of a few rows verifies only what it reads.
 */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import { blobRefSchema, readBlob, type BlobRef } from './blobs.js';
import { hashOwned, ownedBytes, type OwnedBytes } from './hashing.js';
import type { ObjectStore } from './object-store.js';
import { inParallel } from './parallel.js';
import { digestSchema } from './record.js';

/** 16 MiB a pack; four in flight stay under 64 MiB. */
export const packBytes = 16 * 1024 * 1024;
/** 1 MiB a chunk. */
export const chunkBytes = 1024 * 1024;
/** Three buffers of a pack and what the connections leave to the garbage collector stay under 150 MiB. */
export const readsInFlight = 3;

export type NamedArrays = ReadonlyMap<string, Uint8Array>;

export const packSchema = blobRefSchema.extend({ chunks: z.array(digestSchema) });
export type Pack = z.output<typeof packSchema>;

const groupFields = z.object({
  packBytes: z.number().int().positive(),
  chunkBytes: z.number().int().positive(),
  packs: z.array(packSchema),
  /** name → offset in the stream and length, both in bytes. */
  arrays: z.record(z.string(), z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()])),
});
export const groupSchema = groupFields.refine(isCovered, 'expected full packs but the last, and arrays within them');
export type Group = z.output<typeof groupSchema>;

function isCovered({ packBytes: size, chunkBytes: chunk, packs, arrays }: z.output<typeof groupFields>): boolean {
  const total = packs.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    packs.every(({ bytes }, index) => bytes > 0 && (bytes === size || (bytes < size && index === packs.length - 1))) &&
    packs.every(({ bytes, chunks }) => chunks.length === Math.ceil(bytes / chunk)) &&
    Object.values(arrays).every(([offset, bytes]) => offset + bytes <= total)
  );
}

/** A copy of the arrays, cut, not yet hashed. */
export interface CopiedGroup {
  /** Each is replaced by the same memory once it has been hashed. */
  readonly buffers: OwnedBytes[];
  readonly arrays: Group['arrays'];
}

/**
 * The one memory copy of a save: synchronous, so that the caller's arrays may change as soon as it returns.
 * @param spare buffers of earlier saves to fill again: memory that is mapped already takes a third of the time of fresh one
 */
export function copyIntoPacks(named: NamedArrays, spare: OwnedBytes[] = []): CopiedGroup {
  const entries = [...named].sort(([a], [b]) => (a < b ? -1 : 1));
  const total = entries.reduce((sum, [, array]) => sum + array.length, 0);
  const buffers = Array.from({ length: Math.ceil(total / packBytes) }, (_, index) => {
    const bytes = Math.min(packBytes, total - index * packBytes);
    return bytes < packBytes ? ownedBytes(bytes) : (spare.pop() ?? ownedBytes(bytes));
  });
  const arrays = Object.create(null) as Group['arrays'];
  let offset = 0;
  for (const [name, array] of entries) {
    arrays[name] = [offset, array.length];
    for (let done = 0; done < array.length;) {
      const within = (offset + done) % packBytes;
      const part = array.subarray(done, done + packBytes - within);
      buffers[Math.floor((offset + done) / packBytes)]?.set(part, within);
      done += part.length;
    }
    offset += array.length;
  }
  return { buffers, arrays };
}

/** Buffers of copies that are no longer needed, as `copyIntoPacks` can fill again. */
export const spareOf = (copied: readonly CopiedGroup[]): OwnedBytes[] =>
  copied.flatMap(({ buffers }) => buffers.filter(({ length }) => length === packBytes));

/** Hashes pack `index` of a copy. Commits are one after another: nobody else looks at the copy meanwhile. */
export async function hashPack({ buffers }: CopiedGroup, index: number): Promise<Pack> {
  const buffer = buffers[index];
  // Empty is what memory is that was handed to a hashing thread which then died.
  if (!buffer?.length) throw new NightstillError('unexpected', `expected a copy of pack ${index}, found none`);
  const { digest, chunks, bytes } = await hashOwned(buffer, chunkBytes);
  buffers[index] = bytes;
  return { digest, bytes: bytes.length, chunks: [...chunks] };
}

/** Reads and verifies every array of a group. @throws object-missing, object-damaged */
export async function readGroup(
  store: ObjectStore,
  group: Group,
  onRead: (bytes: number) => void = () => undefined,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const arrays = new Map(
    Object.entries(group.arrays).map(([name, [, bytes]]) => [name, new Uint8Array(bytes)] as const),
  );
  const spare: OwnedBytes[] = [];
  await inParallel(readsInFlight, group.packs.entries(), async ([index, pack]) => {
    const content = await readBlob(store, pack, { memory: spare.pop() });
    const start = index * group.packBytes;
    for (const [name, [offset, bytes]] of Object.entries(group.arrays)) {
      const from = Math.max(offset, start);
      const to = Math.min(offset + bytes, start + content.length);
      if (from < to) arrays.get(name)?.set(content.subarray(from - start, to - start), from - offset);
    }
    spare.push(content);
    onRead(pack.bytes);
  });
  return arrays;
}

/**
 * Reads bytes `start` up to `end` of one array without fetching the rest: whole chunks are read and verified.
 * @throws object-missing, object-damaged, object-range-invalid
 */
export async function readSlice(
  store: ObjectStore,
  group: Group,
  name: string,
  start: number,
  end: number,
): Promise<Uint8Array> {
  const [offset, bytes] = group.arrays[name] ?? [0, -1];
  if (start < 0 || start > bytes)
    throw new NightstillError(
      'object-range-invalid',
      `${name}: expected a start within ${bytes} bytes, found ${start}`,
    );
  const slice = new Uint8Array(Math.max(0, Math.min(end, bytes) - start));
  const first = offset + start;
  for (let position = first; position < first + slice.length;) {
    const index = Math.floor(position / group.packBytes);
    const chunk = Math.floor((position % group.packBytes) / group.chunkBytes);
    const content = await readChunk(store, group.packs[index], chunk, group.chunkBytes);
    const within = (position % group.packBytes) - chunk * group.chunkBytes;
    const part = content.subarray(within, within + first + slice.length - position);
    slice.set(part, position - first);
    position += part.length;
  }
  return slice;
}

async function readChunk(
  store: ObjectStore,
  pack: Pack | undefined,
  index: number,
  bytes: number,
): Promise<Uint8Array> {
  const digest = pack?.chunks[index];
  if (!pack || !digest)
    throw new NightstillError('object-range-invalid', `expected an array of the group, found no chunk ${index}`);
  const range = { start: index * bytes, end: Math.min((index + 1) * bytes, pack.bytes) };
  return readBlob(store, pack, { part: { range, digest } });
}

export const blobsOf = (groups: readonly Group[]): BlobRef[] =>
  groups.flatMap(({ packs }) => packs.map(({ digest, bytes }) => ({ digest, bytes })));
