/**
 * A directory that is made once and then only read: it appears complete, by a rename, or not at all. Two processes may make it at
 * the same time; the second discards its own. What a killed process leaves disturbs nobody, and a later one removes it.
 */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { markUsed, removeUnused } from './artifact-cache.js';

/**
 * The directory, there already or made now.
 * @param directory whose name is a digest, 64 hex digits
 * @param make fills the empty directory that it is given
 */
export async function cachedDirectory(directory: string, make: (partial: string) => Promise<void>): Promise<string> {
  if (await exists(directory)) {
    await markUsed(directory);
    return directory;
  }
  await mkdir(dirname(directory), { recursive: true });
  await removeUnused(dirname(directory));
  const partial = await mkdtemp(`${directory}.partial-`);
  try {
    await make(partial);
    await rename(partial, directory).catch(async (error: unknown) => {
      if (!(await exists(directory))) throw error; // somebody else was faster
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return directory;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
