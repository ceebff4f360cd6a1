/**
 * The user's cache of parts. An entry is a directory named by part, version and the digest of the recipe that made it; it
 * is built in a staging directory and appears by one rename, so it is complete or absent, whatever kills set-up when.
 * Two set-ups at once build once: the second waits for the first (see cache-lock.ts), but nothing depends on that lock
 * except the work saved. Looking an entry up reads its manifest and the sizes of its files; hashing happens on request.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { withCacheLock } from './cache-lock.js';

export interface CacheKey {
  readonly part: string;
  readonly version: string;
  /** Hex SHA-256 of everything that decides what the entry holds. */
  readonly digest: string;
}

const manifestSchema = z.object({
  format: z.literal(1),
  part: z.string(),
  version: z.string(),
  digest: z.string(),
  /** How it was made, as the closing table says it. */
  from: z.string(),
  /** The version that the part itself reports; the one in the key where it reports none. */
  release: z.string(),
  /** Everything in the entry, on disk. */
  bytes: z.number(),
  seconds: z.number(),
  createdAt: z.string(),
  /** The files that matter, by path within the entry. */
  files: z.record(z.string(), z.object({ bytes: z.number(), sha256: z.string() })),
});

type Manifest = Readonly<z.infer<typeof manifestSchema>>;

export interface CacheEntry {
  readonly directory: string;
  readonly manifest: Manifest;
}

/** What a builder has put into the staging directory. */
export interface Built {
  readonly from: string;
  /** Needed when the key could not know it. */
  readonly release?: string;
  /** Paths within the staging directory of the files that must be there for the entry to be of use. */
  readonly files: readonly string[];
}

export interface CacheOptions {
  readonly verify?: boolean;
  /** Told when another set-up is busy with the same entry. */
  readonly onWait?: (holder: string) => void;
}

const manifestName = 'manifest.json';

export const logFile = (cacheDirectory: string, part: string): string => join(cacheDirectory, 'logs', `${part}.log`);

/** SHA-256 of the parts of a recipe: file contents, flags, platform. */
export function digestOf(...ingredients: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const ingredient of ingredients) hash.update(ingredient).update('\0');
  return hash.digest('hex');
}

/** The entry, or undefined when it is absent or a file of it is missing, has another size or (verify) another digest. */
export async function findEntry(
  cacheDirectory: string,
  key: CacheKey,
  { verify = false }: CacheOptions = {},
): Promise<CacheEntry | undefined> {
  return readEntry(entryDirectory(cacheDirectory, key), verify);
}

async function readEntry(directory: string, verify: boolean): Promise<CacheEntry | undefined> {
  try {
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(directory, manifestName), 'utf8')));
    for (const [path, record] of Object.entries(manifest.files)) {
      if ((await stat(join(directory, path))).size !== record.bytes) return undefined;
      if (verify && (await hashFile(join(directory, path))) !== record.sha256) return undefined;
    }
    return { directory, manifest };
  } catch {
    return undefined;
  }
}

/** The entry; `build` fills an empty staging directory when it is not there yet. What a killed build left is removed. */
export async function provideEntry(
  cacheDirectory: string,
  key: CacheKey,
  build: (stagingDirectory: string) => Promise<Built>,
  options: CacheOptions = {},
): Promise<CacheEntry> {
  const name = entryName(key);
  return withCacheLock(join(cacheDirectory, 'locks', name), options.onWait, async () => {
    const present = await findEntry(cacheDirectory, key, options);
    if (present !== undefined) return present;
    const startedAt = performance.now();
    await removeStaging(cacheDirectory, name);
    const staging = join(cacheDirectory, 'staging', `${name}.${randomUUID()}`);
    await mkdir(staging, { recursive: true });
    try {
      const built = await build(staging);
      const manifest = await describeEntry(staging, key, built, (performance.now() - startedAt) / 1000);
      await writeFile(join(staging, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
      const directory = entryDirectory(cacheDirectory, key);
      await mkdir(join(cacheDirectory, 'parts'), { recursive: true });
      // Only what findEntry called unusable is removed here: the entry was looked up above, under the same lock.
      await rm(directory, { recursive: true, force: true });
      await rename(staging, directory);
      return { directory, manifest };
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  });
}

const entryName = ({ part, version, digest }: CacheKey): string => `${part}-${version}-${digest.slice(0, 12)}`;
const entryDirectory = (cacheDirectory: string, key: CacheKey): string => join(cacheDirectory, 'parts', entryName(key));

async function removeStaging(cacheDirectory: string, name: string): Promise<void> {
  const stagings = await readdir(join(cacheDirectory, 'staging')).catch((): string[] => []);
  for (const staging of stagings.filter((candidate) => candidate.startsWith(`${name}.`))) {
    await rm(join(cacheDirectory, 'staging', staging), { recursive: true, force: true });
  }
}

async function describeEntry(
  directory: string,
  key: CacheKey,
  { from, release = key.version, files: paths }: Built,
  seconds: number,
): Promise<Manifest> {
  const files: Manifest['files'] = {};
  for (const path of paths) {
    files[path] = { bytes: (await stat(join(directory, path))).size, sha256: await hashFile(join(directory, path)) };
  }
  const bytes = await directoryBytes(directory);
  return { format: 1, ...key, from, release, bytes, seconds, createdAt: new Date().toISOString(), files };
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Bytes of all files below a directory; 0 when there is none. What is moved away meanwhile counts nothing. */
export async function directoryBytes(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries.filter((each) => each.isFile())) {
    bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

/** Every entry that is complete. */
export async function listEntries(cacheDirectory: string): Promise<readonly CacheEntry[]> {
  const names = await readdir(join(cacheDirectory, 'parts')).catch((): string[] => []);
  const entries = await Promise.all(names.map((name) => readEntry(join(cacheDirectory, 'parts', name), false)));
  return entries.filter((entry) => entry !== undefined);
}
