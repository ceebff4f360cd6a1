/** Compiled programs on disk, keyed by their content: a process that needs the same program finds it. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NightstillError } from '../../config/errors.js';

/**
 * The directory of the SavedModel; written first when it is not there, or damaged. Several processes may do so at once.
 * @throws engine-failed when it cannot be written
 */
export async function keepSavedModel(cacheDirectory: string, bytes: Uint8Array): Promise<string> {
  const programs = join(cacheDirectory, 'programs');
  const directory = join(programs, createHash('sha256').update(bytes).digest('hex'));
  const path = join(directory, 'saved_model.pb');
  const kept = await readFile(path).catch(() => undefined);
  if (kept?.equals(bytes) === true) {
    const now = new Date();
    await utimes(directory, now, now).catch(() => undefined); // whoever tidies up sees that it is in use
    return directory;
  }
  const staging = join(programs, `staging-${randomUUID()}`);
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(staging, bytes);
    await rename(staging, path);
  } catch (cause) {
    await rm(staging, { force: true }).catch(() => undefined);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new NightstillError('engine-failed', `expected to keep a compiled program in ${programs}, found: ${why}`, {
      cause,
    });
  }
  return directory;
}
