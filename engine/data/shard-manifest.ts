/**
 * The manifest of a directory of shards, `shards.json`. It is written last: where there is one, all its shards are complete. Its
 * digest stands for the data in cursors, since it holds the digest of every shard.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { firstFault } from '../files/json-file.js';
import { formatVersion, invalidShard, shardHeaderSchema } from './shard-format.js';

export const manifestName = 'shards.json';
export const shardName = (number: number): string => `shard-${String(number).padStart(5, '0')}.tokens`;
export const shardNamePattern = /^shard-\d{5,}\.tokens$/;
const maximumManifestBytes = 64 * 1024 * 1024;

const count = z.int().nonnegative();

const statisticsSchema = z.object({
  conversations: count,
  samples: count,
  tokens: count,
  /** Tokens whose prediction is learned. */
  trainedTokens: count,
  /** Tokens of the longest sample. */
  longest: count,
  /** Conversations that were too long and what became of them. */
  truncated: count,
  split: count,
  dropped: count,
  /** Samples, or pieces of split ones, left out because nothing in them is learned. */
  untrained: count,
});
export type ShardStatistics = Readonly<z.output<typeof statisticsSchema>>;

const shardSchema = z.object({
  file: z.string().regex(shardNamePattern),
  bytes: count.max(2 ** 32 - 1),
  samples: count.min(1),
  tokens: count,
  trainedTokens: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ShardDescription = Readonly<z.output<typeof shardSchema>>;

const manifestSchema = z.looseObject({
  version: z.literal(formatVersion),
  header: shardHeaderSchema,
  statistics: statisticsSchema,
  shards: z.array(shardSchema).min(1),
});
export type ShardManifest = Readonly<z.output<typeof manifestSchema>>;

export const encodeManifest = (manifest: ShardManifest): string => `${JSON.stringify(manifest, undefined, 2)}\n`;

const manifestDigest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** @throws token-shards-invalid when there is none, or one whose counts do not agree with themselves */
export async function readManifest(directory: string): Promise<ShardManifest & { readonly digest: string }> {
  const path = join(directory, manifestName);
  try {
    const { size } = await stat(path);
    if (size > maximumManifestBytes) throw new RangeError(`${size} bytes`);
    const bytes = await readFile(path);
    const manifest = manifestSchema.parse(JSON.parse(bytes.toString('utf8')));
    confirmSums(manifest);
    return { ...manifest, digest: manifestDigest(bytes) };
  } catch (cause) {
    throw invalidShard(path, 'a manifest of shards', faultOf(cause), cause);
  }
}

function faultOf(cause: unknown): string {
  if (cause instanceof z.ZodError) return firstFault(cause);
  return cause instanceof Error ? cause.message : 'none';
}

function confirmSums({ shards, statistics }: ShardManifest): void {
  for (const name of ['samples', 'tokens', 'trainedTokens'] as const) {
    const sum = shards.reduce((total, shard) => total + shard[name], 0);
    if (sum !== statistics[name]) throw new RangeError(`${sum} ${name} in shards, ${statistics[name]} in all`);
  }
}
