/** Nothing is overwritten: what is written anew asks here first. */
import { readdir } from 'node:fs/promises';
import { NightstillError } from '../../config/errors.js';
import { outputError } from './output-error.js';

/** @throws output-exists when the path is taken by anything but an empty directory; output-failed when it cannot be seen. */
export async function refuseTaken(path: string): Promise<void> {
  const entries = await readdir(path).catch((cause: unknown) => {
    const answer = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (answer === 'ENOENT') return [];
    if (answer !== 'ENOTDIR') throw outputError(path, cause);
    throw new NightstillError('output-exists', `Expected nothing at ${path}, found what is no directory.`, { cause });
  });
  if (entries.length > 0)
    throw new NightstillError('output-exists', `Expected nothing at ${path}, found a directory with ${entries[0]}.`);
}
