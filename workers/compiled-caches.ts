/**
 * What compilers leave on a machine, by entries of a directory: kept while somebody uses it, removed two weeks later. A program
 * whose entry is gone is compiled again.
 */
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

const unusedAfterMs = 14 * 24 * 3600 * 1000;

/** Files and directories that were neither written, marked nor, where the file system records it, read for two weeks. */
export async function removeUnusedEntries(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    const entry = await stat(path).catch(() => undefined); // removed just now, by another process
    if (entry && Date.now() - Math.max(entry.atimeMs, entry.mtimeMs) > unusedAfterMs)
      // Of another user: it is for them to remove.
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

export async function markEntryUsed(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined); // of another user: it is only less fresh
}
