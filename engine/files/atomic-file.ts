/**
 * Files that are either not there or complete: written beside their place under another name, synced, then renamed. A process
 * that dies meanwhile leaves the former file as it was, and a `.partial` that nobody reads.
 */
import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writing } from './output-error.js';

/** @throws output-failed when the operating system refuses; else what `write` throws. */
export const writeAtomically = (path: string, write: (file: FileHandle) => Promise<void>): Promise<void> =>
  writing(path, () => writeAndRename(path, write));

async function writeAndRename(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const partial = join(dirname(path), `.${basename(path)}.${randomUUID()}.partial`);
  const file = await open(partial, 'wx');
  try {
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

export const writeTextAtomically = (path: string, text: string): Promise<void> =>
  writeAtomically(path, (file) => file.writeFile(text, 'utf8'));

/** Is it what a writer of this file left behind when it died? */
export const isPartialOf = (name: string, file: string): boolean =>
  name.startsWith(`.${file}.`) && name.endsWith('.partial');

/** Makes a rename durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
