/**
 * Content-addressed bytes: an object's key is the digest of its content, so it is written once and verified on every read.
 * Blobs fit into memory (64 MiB at most); whatever is larger travels as several.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { NightstillError, hasCode } from '../config/errors.js';
import { hexOf, type Digest } from './digest.js';
import { hashOwned, ownedBytes, type OwnedBytes } from './hashing.js';
import { blobKey } from './layout.js';
import type { ByteRange, ObjectStore } from './object-store.js';
import { readUntilCertain } from './reading.js';
import { digestSchema } from './record.js';

export interface BlobRef {
  readonly digest: Digest;
  readonly bytes: number;
}

/** 64 MiB. */
export const maximumBlobBytes = 64 * 1024 * 1024;

export const blobRefSchema = z.object({
  digest: digestSchema,
  bytes: z.number().int().nonnegative().max(maximumBlobBytes),
});

/**
 * Writes a blob; when it returns the bytes are durable. Written again even if it is there: that renews its age, which is
 * what keeps collection away from a blob that is about to be referenced.
 */
export async function putBlob(store: ObjectStore, bytes: Uint8Array): Promise<BlobRef> {
  if (bytes.length > maximumBlobBytes)
    throw new NightstillError(
      'record-invalid',
      `expected a blob of at most ${maximumBlobBytes} bytes, found ${bytes.length}`,
    );
  const owned = ownedBytes(bytes.length);
  owned.set(bytes);
  const hashed = await hashOwned(owned);
  await putHashedBlob(store, hashed.digest, hashed.bytes);
  return { digest: hashed.digest, bytes: bytes.length };
}

export async function putHashedBlob(store: ObjectStore, digest: Digest, bytes: Uint8Array): Promise<void> {
  await store.put(blobKey(digest), bytes, { sha256: hexOf(digest) });
}

/** Is it there, with its size? */
export async function hasBlob(store: ObjectStore, { digest, bytes }: BlobRef): Promise<boolean> {
  return (await store.describe(blobKey(digest)))?.bytes === bytes;
}

/** @throws object-missing when it is not there with its size */
export async function assertBlob(store: ObjectStore, blob: BlobRef): Promise<void> {
  if (await hasBlob(store, blob)) return;
  const key = blobKey(blob.digest);
  throw new NightstillError('object-missing', `${key}: expected ${blob.bytes} bytes, found nothing of that size`, {
    details: { store: store.url, key },
  });
}

export interface BlobReading {
  /** A part whose own digest is known (a chunk of a pack), in place of the whole. */
  readonly part?: { readonly range: ByteRange; readonly digest: Digest };
  /** Memory to read into, when it has the right size: many large reads would keep the garbage collector busy. */
  readonly memory?: OwnedBytes | undefined;
}

/**
 * Reads a blob and verifies it. Bits also flip on the way: it counts as damaged only when a second, fresh read is wrong too,
 * and in the same way.
 * @throws object-missing, object-damaged (details.key names it), store-unavailable
 */
export async function readBlob(
  store: ObjectStore,
  { digest, bytes }: BlobRef,
  { part, memory }: BlobReading = {},
): Promise<OwnedBytes> {
  const key = blobKey(digest);
  const expected = part?.digest ?? digest;
  const length = part ? part.range.end - part.range.start : bytes;
  const content = memory?.length === length ? memory : ownedBytes(length);
  return readUntilCertain(key, async () => {
    const found = await readInto(content, store, key, part?.range);
    if (found === expected) return { value: content };
    const message = `${key}: expected ${length} bytes with digest ${expected}, found ${found}`;
    const error = new NightstillError('object-damaged', message, { details: { store: store.url, key } });
    return { fingerprint: found, error };
  });
}

/**
 * Fills `content`, hashing chunk by chunk as they arrive: no chunk holds the main thread for long.
 * @returns the digest of what came, or in words why it cannot be what was asked for
 */
async function readInto(
  content: OwnedBytes,
  store: ObjectStore,
  key: string,
  range: ByteRange | undefined,
): Promise<string> {
  const hash = createHash('sha256');
  let filled = 0;
  try {
    const { body } = await store.get(key, range ? { range, isVerified: true } : { isVerified: true });
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      if (filled + chunk.length > content.length) return `more than ${content.length} bytes`;
      content.set(chunk, filled);
      hash.update(chunk);
      filled += chunk.length;
    }
  } catch (error) {
    if (hasCode(error, 'object-range-invalid')) return 'fewer bytes';
    // The checksum of the store says no: the digest tells whether twice in the same way.
    if (!hasCode(error, 'object-damaged')) throw error;
  }
  return filled === content.length ? `sha256:${hash.digest('hex')}` : `${filled} bytes`;
}
