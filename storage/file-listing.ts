/**
 * The objects under a directory, in ascending order of their keys as S3 gives them. Holds the names of one directory per
 * level in memory. Prefix directories are never removed: creating an object below one must not race with that.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessErrno } from './file-errors.js';
import { isValidKey, mayBeginKey } from './keys.js';
import type { ObjectKey } from './object-store.js';

const objectMark = '@';

/** `@` is not a legal character of keys, so objects and prefix directories never meet. */
export const objectDirectory = (root: string, key: ObjectKey): string => `${join(root, key)}${objectMark}`;

/** All keys that begin with `prefix`; what else lies in the directory is passed over. */
export async function* listKeys(root: string, prefix: string): AsyncGenerator<ObjectKey, void> {
  const parent = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (!mayBeginKey(prefix)) return;
  yield* walk(root, parent, prefix);
}

async function* walk(root: string, parent: string, prefix: string): AsyncGenerator<ObjectKey, void> {
  const entries = (await unlessErrno(readdir(join(root, parent), { withFileTypes: true }), 'ENOENT')) ?? [];
  const names = entries
    .filter((entry) => entry.isDirectory())
    // `c@` holds the object c, `c` the objects c/…: in this form the names sort as the keys do.
    .map(({ name }) => (name.endsWith(objectMark) ? name.slice(0, -1) : `${name}/`))
    .sort((left, right) => (left < right ? -1 : 1));
  for (const name of names) {
    const path = parent + name;
    if (!isValidKey(path.replace(/\/$/, ''))) continue;
    if (!name.endsWith('/')) {
      if (path.startsWith(prefix)) yield path;
    } else if (path.startsWith(prefix) || prefix.startsWith(path)) {
      yield* walk(root, path, prefix);
    }
  }
}
