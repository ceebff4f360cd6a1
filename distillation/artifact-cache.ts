/**
 * Files of artifacts on the local disk, in a directory named by the digest of the artifact: complete and of the right sizes, or
 * fetched anew. Every byte is verified when it is fetched. Any number of processes may ask for the same at once. A process that dies
 * leaves a partial directory, which nobody reads. A later fetch removes it, and directories that nobody has used for two weeks, so
 * that the artifacts of many nights do not fill the disk.
 */
import { mkdir, mkdtemp, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { NightstillError, hasCode } from '../config/errors.js';
import { syncDirectory } from '../engine/files/index.js';
import { hexOf, readBlob, type ArtifactRef, type BlobRef, type ObjectStore } from '../storage/index.js';

export interface CachedFile {
  /** Without directories. */
  readonly name: string;
  readonly parts: readonly BlobRef[];
}

export interface CacheRequest {
  readonly store: ObjectStore;
  readonly artifact: ArtifactRef;
  readonly files: readonly CachedFile[];
  readonly cacheDirectory: string;
  /** Called after every part, for whoever must be seen alive. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/** A partial directory in which nothing was written for so long belongs to nobody. */
const abandonedAfterMs = 3600 * 1000;
/** Longer than any training that goes on reading what it has opened. */
const unusedAfterMs = 14 * 24 * 3600 * 1000;

/**
 * @returns the directory
 * @throws artifact-invalid for names that lead elsewhere; object-missing, object-damaged, store-unavailable; output-failed
 */
export async function cacheFiles(request: CacheRequest): Promise<string> {
  const { artifact, files, cacheDirectory } = request;
  refuseStrangeNames(artifact, files);
  const directory = join(cacheDirectory, hexOf(artifact.digest));
  if (await isComplete(directory, files)) {
    await markUsed(directory);
    return directory;
  }
  try {
    await mkdir(cacheDirectory, { recursive: true });
    await removeUnused(cacheDirectory);
    await fetchFiles(request, directory);
  } catch (cause) {
    if (hasCode(cause)) throw cause;
    throw new NightstillError(
      'output-failed',
      `${cacheDirectory}: expected room for ${artifact.bytes} bytes, found ${said(cause)}`,
      { cause },
    );
  }
  return directory;
}

const said = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function refuseStrangeNames({ uri }: ArtifactRef, files: readonly CachedFile[]): void {
  const names = new Set<string>();
  for (const { name } of files) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/.test(name) || names.has(name))
      throw new NightstillError(
        'artifact-invalid',
        `${uri}: expected names of files, each once, found ${JSON.stringify(name).slice(0, 100)}`,
      );
    names.add(name);
  }
}

/** Are all files there, in their full sizes? Their bytes were verified when they were fetched. */
async function isComplete(directory: string, files: readonly CachedFile[]): Promise<boolean> {
  for (const { name, parts } of files) {
    const found = await stat(join(directory, name)).catch(() => undefined);
    if (!found?.isFile() || found.size !== parts.reduce((sum, { bytes }) => sum + bytes, 0)) return false;
  }
  return true;
}

async function fetchFiles({ store, files, onRead }: CacheRequest, directory: string): Promise<void> {
  const partial = await mkdtemp(`${directory}.partial-`);
  try {
    for (const file of files) await writeFile(store, file, partial, onRead);
    await syncDirectory(partial);
    await moveInto(directory, partial, files);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function writeFile(
  store: ObjectStore,
  { name, parts }: CachedFile,
  directory: string,
  onRead?: (bytes: number) => void,
) {
  const file = await open(join(directory, name), 'wx');
  try {
    for (const part of parts) {
      const bytes = await readBlob(store, part);
      for (let written = 0; written < bytes.length;) written += (await file.write(bytes, written)).bytesWritten;
      onRead?.(bytes.length);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Renames; a damaged directory at the place makes room, a complete one stays: somebody else was faster. */
async function moveInto(directory: string, partial: string, files: readonly CachedFile[]): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await rename(partial, directory);
      return await syncDirectory(join(directory, '..'));
    } catch (error) {
      if (await isComplete(directory, files)) return;
      if (attempt === 2) throw error;
      const damaged = await mkdtemp(`${directory}.partial-`);
      await rename(directory, join(damaged, 'damaged')).catch(() => undefined);
      await rm(damaged, { recursive: true, force: true });
    }
  }
}

/** The time of its last change is that of its last use. */
export async function markUsed(directory: string): Promise<void> {
  const now = new Date();
  await utimes(directory, now, now).catch(() => undefined); // just removed, or owned by another user: the directory only looks older than it is
}

/** Directories under names of 64 hex digits that nobody uses any more, and partial ones that nobody writes. */
export async function removeUnused(cacheDirectory: string): Promise<void> {
  for (const name of await readdir(cacheDirectory)) {
    const entry = /^[0-9a-f]{64}(\.partial-.*)?$/.exec(name);
    if (entry === null) continue;
    const isPartial = entry[1] !== undefined;
    const path = join(cacheDirectory, name);
    const lastUseMs = await (isPartial ? newestWrite(path) : changedAt(path)).catch(() => Infinity);
    const limitMs = isPartial ? abandonedAfterMs : unusedAfterMs;
    if (Date.now() - lastUseMs > limitMs) await rm(path, { recursive: true, force: true });
  }
}

const changedAt = async (path: string): Promise<number> => (await stat(path)).mtimeMs;

async function newestWrite(directory: string): Promise<number> {
  const paths = [directory, ...(await readdir(directory)).map((name) => join(directory, name))];
  return Math.max(...(await Promise.all(paths.map(async (path) => (await stat(path)).mtimeMs))));
}
