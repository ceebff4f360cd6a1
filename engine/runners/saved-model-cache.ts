/** Compiled programs on disk, keyed by their content: a process that needs the same program finds it. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The directory of the SavedModel; written first when it is not there. Several processes may do so at once. */
export async function keepSavedModel(cacheDirectory: string, bytes: Uint8Array): Promise<string> {
  const programs = join(cacheDirectory, 'programs');
  const directory = join(programs, createHash('sha256').update(bytes).digest('hex'));
  if (await exists(join(directory, fileName))) return directory;
  await mkdir(programs, { recursive: true });
  const staging = await mkdtemp(join(programs, 'staging-'));
  await writeFile(join(staging, fileName), bytes);
  try {
    await rename(staging, directory);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (!(await exists(join(directory, fileName)))) throw error;
  }
  return directory;
}

const fileName = 'saved_model.pb';

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
