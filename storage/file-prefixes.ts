/**
 * The directories above the objects of a file store: made before a key is created, and flushed, so that a key survives a
 * power cut together with everything above it. They are never removed, which is why one look at each is enough.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NightstillError } from '../config/errors.js';
import { listKeys, objectDirectory } from './file-listing.js';
import { currentVersion, flushDirectory } from './file-versions.js';
import type { ObjectKey } from './object-store.js';

export class FilePrefixes {
  readonly #root: string;
  readonly #flushed = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async make(key: ObjectKey): Promise<void> {
    const prefixes = ['', ...prefixesOf(key)];
    await mkdir(join(this.#root, prefixes.at(-1) ?? ''), { recursive: true });
    for (const prefix of prefixes) {
      if (this.#flushed.has(prefix)) continue;
      await flushDirectory(join(this.#root, prefix));
      this.#flushed.add(prefix);
    }
  }

  /**
   * S3 servers over directories cannot hold a key that is a path prefix of another, so no store here does.
   * @throws object-key-invalid when it is seen; two creators at the same moment may not see each other.
   */
  async refuseNested(key: ObjectKey): Promise<void> {
    for (const prefix of prefixesOf(key)) {
      if (this.#flushed.has(prefix)) continue;
      if ((await currentVersion(objectDirectory(this.#root, prefix))) !== undefined) throw nestedError(key, prefix);
    }
    for await (const below of listKeys(this.#root, `${key}/`)) throw nestedError(key, below);
  }
}

/** `a/b/c` → `a`, `a/b` */
function prefixesOf(key: ObjectKey): string[] {
  const segments = key.split('/').slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

const nestedError = (key: ObjectKey, other: ObjectKey): NightstillError =>
  new NightstillError(
    'object-key-invalid',
    `Expected no key to be a path prefix of another, found ${key} and ${other}`,
    {
      details: { key },
    },
  );
