/** model.safetensors.index.json: which shard holds which tensor. A shard is a file beside the index, and nothing else. */
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { findDuplicateOrDepth } from './header-keys.js';
import { invalidFile } from './safetensors-header.js';

/** Not copied, so that a tensor may have any name, `__proto__` too. */
const mapSchema = z.custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
const indexSchema = z.looseObject({ weight_map: mapSchema });

const maximumDepth = 8;

/**
 * Name of a tensor → name of its shard.
 * @throws safetensors-invalid
 */
export function parseShardIndex(text: string, source: string): ReadonlyMap<string, string> {
  const wrong = findDuplicateOrDepth(text, maximumDepth);
  if (wrong !== undefined) throw invalidFile(source, `each name once, found ${wrong}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalidFile(source, 'JSON', cause);
  }
  const parsed = indexSchema.safeParse(json);
  if (!parsed.success) throw invalidFile(source, 'an object with a weight_map');
  const entries: [string, unknown][] = Object.entries(parsed.data.weight_map);
  if (entries.length === 0) throw invalidFile(source, 'a weight_map with at least one tensor');
  return new Map(entries.map(([name, shard]) => [name, checkedName(shard, source)]));
}

/** Links are followed, names that lead elsewhere are not: no directory, no drive, nothing hidden. */
function checkedName(shard: unknown, source: string): string {
  if (typeof shard === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$/.test(shard)) return shard;
  throw invalidFile(source, `names of .safetensors files beside it, found ${JSON.stringify(shard).slice(0, 100)}`);
}

export const shardPath = (indexPath: string, shard: string): string => join(dirname(indexPath), shard);
