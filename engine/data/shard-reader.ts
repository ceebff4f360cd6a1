/**
 * Samples of a directory of shards, by number. Opening reads headers and indexes (12 bytes of memory a sample) and refuses what
 * does not fit together; reading a sample checks its record against the index. Bytes that were changed into others that also
 * make sense are found by `verify`, which reads everything.
 */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Sample, SampleSource } from './samples.js';
import * as format from './shard-format.js';
import { readManifest, type ShardDescription, type ShardStatistics } from './shard-manifest.js';

export interface TokenShards extends SampleSource {
  readonly header: format.ShardHeader;
  readonly statistics: ShardStatistics;
  /** @throws token-shards-invalid when a shard has not the digest that the manifest says */
  readonly verify: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Shard {
  readonly description: ShardDescription;
  readonly handle: FileHandle;
  /** Number of its first sample. */
  readonly first: number;
  readonly index: Buffer;
  readonly indexOffset: number;
}

/** @throws token-shards-invalid */
export async function openShards(directory: string): Promise<TokenShards> {
  const { header, statistics, shards: descriptions, digest } = await readManifest(directory);
  const shards: Shard[] = [];
  const close = async () => {
    for (const { handle } of shards) await handle.close();
  };
  try {
    let first = 0;
    for (const description of descriptions) {
      shards.push(await openShard(directory, description, header, statistics.longest, first));
      first += description.samples;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    digest,
    header,
    statistics,
    samples: statistics.samples,
    longest: statistics.longest,
    lengthOf: (sample) => {
      const shard = shardOf(shards, sample);
      return entryOf(shard.index, sample - shard.first).tokens;
    },
    read: (sample) => readSample(shardOf(shards, sample), sample, header),
    verify: async () => {
      for (const shard of shards) await verifyShard(shard);
    },
    close,
  };
}

async function openShard(
  directory: string,
  description: ShardDescription,
  header: format.ShardHeader,
  longest: number,
  first: number,
): Promise<Shard> {
  const { file, bytes, samples } = description;
  const handle = await open(join(directory, file)).catch((cause: unknown) => {
    throw format.invalidShard(file, 'a file', 'none that can be read', cause);
  });
  try {
    const { size } = await handle.stat();
    if (size !== bytes) throw format.invalidShard(file, `${bytes} bytes`, `${size}`);
    const headerBytes = format.headerLength(file, await readBytes(handle, file, 0, format.prefixBytes));
    const found = format.parseHeader(file, await readBytes(handle, file, format.prefixBytes, headerBytes));
    if (!isDeepStrictEqual(found, header))
      throw format.invalidShard(file, 'the header that its manifest names', 'that of another tokenizer or template');
    const footer = await readBytes(handle, file, size - format.footerBytes, format.footerBytes);
    const indexOffset = format.readIndexOffset(file, footer, size, samples);
    const index = await readBytes(handle, file, indexOffset, samples * format.indexEntryBytes);
    const shard = { description, handle, first, index, indexOffset };
    confirmIndex(shard, format.prefixBytes + headerBytes, longest);
    return shard;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Records follow each other from the header to the index, and their counts add up to those of the manifest. */
function confirmIndex({ description, index, indexOffset }: Shard, headerEnd: number, longest: number): void {
  const { file, samples, tokens, trainedTokens } = description;
  let [tokenSum, trainedSum, leastOffset] = [0, 0, headerEnd];
  for (let number = 0; number < samples; number++) {
    const entry = entryOf(index, number);
    const placed = number === 0 ? entry.offset === headerEnd : entry.offset >= leastOffset;
    if (!placed || entry.offset % 4 !== 0 || entry.offset >= indexOffset || entry.tokens > longest)
      throw format.invalidShard(file, 'an index in the order of its samples', `another at sample ${number}`);
    tokenSum += entry.tokens;
    trainedSum += entry.trainedTokens;
    leastOffset = entry.offset + 4;
  }
  if (tokenSum !== tokens || trainedSum !== trainedTokens)
    throw format.invalidShard(file, `${tokens} tokens, ${trainedTokens} trained`, `${tokenSum} and ${trainedSum}`);
}

function entryOf(index: Buffer, number: number): format.IndexEntry {
  const at = number * format.indexEntryBytes;
  return {
    offset: index.readUInt32LE(at),
    tokens: index.readUInt32LE(at + 4),
    trainedTokens: index.readUInt32LE(at + 8),
  };
}

function shardOf(shards: readonly Shard[], sample: number): Shard {
  let [low, high] = [0, shards.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((shards[middle]?.first ?? Infinity) <= sample) low = middle;
    else high = middle - 1;
  }
  const shard = shards[low];
  if (
    shard !== undefined &&
    Number.isSafeInteger(sample) &&
    sample >= 0 &&
    sample - shard.first < shard.description.samples
  )
    return shard;
  throw new RangeError(`there is no sample ${sample}`);
}

async function readSample(shard: Shard, sample: number, header: format.ShardHeader): Promise<Sample> {
  const { description, handle, index, indexOffset, first } = shard;
  const number = sample - first;
  const entry = entryOf(index, number);
  const end = number + 1 < description.samples ? entryOf(index, number + 1).offset : indexOffset;
  const bytes = await readBytes(handle, description.file, entry.offset, end - entry.offset);
  return format.decodeSample(description.file, bytes, header, entry);
}

async function verifyShard({ description, handle }: Shard): Promise<void> {
  const hash = createHash('sha256');
  const chunkBytes = 1024 * 1024;
  for (let at = 0; at < description.bytes; at += chunkBytes)
    hash.update(await readBytes(handle, description.file, at, Math.min(chunkBytes, description.bytes - at)));
  const found = hash.digest('hex');
  if (found !== description.sha256) throw format.invalidShard(description.file, description.sha256, found);
}

/** Exactly these bytes of the file. */
async function readBytes(handle: FileHandle, file: string, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length && start >= 0) {
    const { bytesRead } = await handle.read(bytes, done, length - done, start + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  if (done === length) return bytes;
  throw format.invalidShard(file, `${length} bytes at ${start}`, `${done}`);
}
