/**
 * The object store in a directory: the embedded default, for one machine and any number of processes. Keeps every promise
 * of the port without locks (`file-versions.ts` says why), survives SIGKILL, SIGSTOP and power cuts of any of them.
 * It does not promise to tell keys apart that differ only in case, where the file system does not.
 */
import type { BigIntStats } from 'node:fs';
import { mkdir, open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { NightstillError } from '../config/errors.js';
import { destroyOnAbort, refuseAborted } from './abort.js';
import { bodyBytes } from './body.js';
import { clampRange, validateRange } from './byte-range.js';
import { readRange, writeFlushed } from './file-bytes.js';
import { errnoOf, fileError, unlessErrno } from './file-errors.js';
import { listKeys, objectDirectory } from './file-listing.js';
import { FilePrefixes } from './file-prefixes.js';
import * as versions from './file-versions.js';
import { validateKey } from './keys.js';
import type * as port from './object-store.js';

export interface FileStoreOptions {
  /** For tests: awaited between the decision that the expected version is current and link(2). */
  readonly beforeLink?: () => Promise<void>;
}

type Write = (staged: versions.StagedVersion, identity: versions.FileIdentity) => Promise<versions.FileVersion>;

/** A caller that finds the key changed this often under unconditional writes gets an error instead of an endless loop. */
const mostPutRounds = 1000;
/** A day: no write takes that long, and `file-versions.ts` says what happens to one that sleeps through it. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;

export class FileStore implements port.ObjectStore {
  readonly url: string;
  readonly #root: string;
  readonly #beforeLink: () => Promise<void>;
  readonly #prefixes: FilePrefixes;

  /** @param root an absolute path; `openFileStore` checks that it is there. */
  constructor(root: string, { beforeLink = () => Promise.resolve() }: FileStoreOptions = {}) {
    this.#root = root;
    this.url = pathToFileURL(root).href;
    this.#prefixes = new FilePrefixes(root);
    this.#beforeLink = beforeLink;
  }

  async get(key: port.ObjectKey, { range, signal }: port.GetOptions = {}): Promise<port.StoredObject> {
    return this.#coded('get', key, signal, async () => {
      validateRange(key, range);
      const found = await this.#openCurrent(key);
      if (found === undefined) throw this.#missing(key);
      const { handle, description } = found;
      try {
        const body = readRange(handle, clampRange(key, range, description.bytes), (error) =>
          fileError(error, { store: this.url, operation: 'get', key }),
        );
        destroyOnAbort(body, signal, { store: this.url, operation: 'get', key });
        return { ...description, body };
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  async describe(
    key: port.ObjectKey,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<port.ObjectDescription | undefined> {
    return this.#coded('describe', key, signal, () => this.#describe(key));
  }

  async put(key: port.ObjectKey, body: port.ObjectBody, options?: port.PutOptions): Promise<port.ObjectDescription> {
    return this.#write('put', key, body, options, async (staged) => {
      for (let round = 0; round < mostPutRounds; round++) {
        const current = await this.#describe(key);
        const written =
          current === undefined ? await this.#create(key, staged) : await this.#append(key, staged, current.version);
        if (written !== undefined) return written;
      }
      throw new Error(`the key changed ${mostPutRounds} times meanwhile`);
    });
  }

  async putIfAbsent(
    key: port.ObjectKey,
    body: port.ObjectBody,
    options?: port.PutOptions,
  ): Promise<port.ObjectDescription> {
    return this.#write('putIfAbsent', key, body, options, async (staged) => {
      const written = await this.#create(key, staged);
      if (written === undefined) throw this.#lost('object-exists', 'putIfAbsent', key, 'no object, found one');
      return written;
    });
  }

  async putIfMatch(
    key: port.ObjectKey,
    body: port.ObjectBody,
    version: string,
    options?: port.PutOptions,
  ): Promise<port.ObjectDescription> {
    return this.#write('putIfMatch', key, body, options, async (staged) => {
      const isCurrent = (await this.#describe(key))?.version === version;
      const written = isCurrent ? await this.#append(key, staged, version) : undefined;
      if (written === undefined)
        throw this.#lost('object-changed', 'putIfMatch', key, `version ${version}, found another`);
      return written;
    });
  }

  async *list(
    prefix: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<port.ObjectDescription, void> {
    try {
      for await (const key of listKeys(this.#root, prefix)) {
        refuseAborted(signal);
        const description = await this.#describe(key);
        if (description !== undefined) yield description;
      }
    } catch (error) {
      throw fileError(error, { store: this.url, operation: 'list', key: prefix });
    }
  }

  async remove(key: port.ObjectKey, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#coded('remove', key, signal, () =>
      versions.removeObject(this.#root, objectDirectory(this.#root, key)),
    );
  }

  async sweepUnfinished(olderThanMs: number): Promise<number> {
    try {
      return await versions.sweepStaging(this.#root, olderThanMs);
    } catch (error) {
      throw fileError(error, { store: this.url, operation: 'sweepUnfinished' });
    }
  }

  async close(): Promise<void> {}

  async #describe(key: port.ObjectKey): Promise<port.ObjectDescription | undefined> {
    for (;;) {
      const version = await versions.currentVersion(objectDirectory(this.#root, key));
      if (version === undefined) return undefined;
      const found = await unlessErrno(stat(version.path, { bigint: true }), 'ENOENT');
      if (found !== undefined) return descriptionOf(key, version, found);
    }
  }

  async #openCurrent(
    key: port.ObjectKey,
  ): Promise<{ handle: FileHandle; description: port.ObjectDescription } | undefined> {
    for (;;) {
      const version = await versions.currentVersion(objectDirectory(this.#root, key));
      if (version === undefined) return undefined;
      const handle = await unlessErrno(open(version.path, 'r'), 'ENOENT');
      if (handle !== undefined)
        return { handle, description: descriptionOf(key, version, await handle.stat({ bigint: true })) };
    }
  }

  async #write(
    operation: string,
    key: port.ObjectKey,
    body: port.ObjectBody,
    { signal }: port.PutOptions = {},
    commit: Write,
  ): Promise<port.ObjectDescription> {
    return this.#coded(operation, key, signal, async () => {
      await this.#prefixes.refuseNested(key);
      const staged = await versions.stage(this.#root);
      let incarnationDirectory: string | undefined;
      try {
        const identity = await writeFlushed(staged.path, body, signal);
        const version = await commit(staged, identity);
        incarnationDirectory = dirname(version.path);
        return {
          key,
          bytes: bodyBytes(body),
          version: versions.versionToken(version, identity),
          modifiedAtMs: toMs(identity.modifiedNs),
        };
      } finally {
        await versions.discard(staged);
        if (incarnationDirectory !== undefined) await versions.prune(incarnationDirectory);
      }
    });
  }

  async #create(key: port.ObjectKey, staged: versions.StagedVersion): Promise<versions.FileVersion | undefined> {
    const directory = objectDirectory(this.#root, key);
    await this.#prefixes.make(key);
    if (!(await versions.create(staged, directory))) return undefined;
    const { incarnation } = staged;
    return { incarnation, number: 1, path: join(directory, incarnation, '1') };
  }

  async #append(
    key: port.ObjectKey,
    staged: versions.StagedVersion,
    token: string,
  ): Promise<versions.FileVersion | undefined> {
    const expected = versions.parseVersionToken(token, objectDirectory(this.#root, key));
    if (expected === undefined) return undefined;
    await this.#beforeLink();
    if (!(await versions.append(staged, expected.version, expected.identity))) return undefined;
    const { incarnation, number, path } = expected.version;
    return { incarnation, number: number + 1, path: join(dirname(path), String(number + 1)) };
  }

  async #coded<Result>(
    operation: string,
    key: port.ObjectKey,
    signal: AbortSignal | undefined,
    act: () => Promise<Result>,
  ): Promise<Result> {
    validateKey(key);
    try {
      refuseAborted(signal);
      return await act();
    } catch (error) {
      throw fileError(error, { store: this.url, operation, key });
    }
  }
  #lost(
    code: 'object-exists' | 'object-changed',
    operation: string,
    key: port.ObjectKey,
    expected: string,
  ): NightstillError {
    return new NightstillError(code, `${key}: expected ${expected}`, { details: { store: this.url, key, operation } });
  }

  #missing(key: port.ObjectKey): NightstillError {
    return new NightstillError('object-missing', `Expected an object ${key} in ${this.url}, found none`, {
      details: { store: this.url, key, operation: 'get' },
    });
  }
}

const descriptionOf = (
  key: port.ObjectKey,
  version: versions.FileVersion,
  { size, ino: inode, mtimeNs: modifiedNs }: BigIntStats,
): port.ObjectDescription => ({
  key,
  bytes: Number(size),
  version: versions.versionToken(version, { inode, modifiedNs }),
  modifiedAtMs: toMs(modifiedNs),
});

const toMs = (nanoseconds: bigint): number => Number(nanoseconds / 1_000_000n);

/**
 * Opens a directory as a store. For writing it is created when absent, and what dead writers left is swept.
 * @param root an absolute path
 * @throws store-missing, store-access-denied, store-unavailable
 */
export async function openFileStore(
  root: string,
  { forWriting }: { readonly forWriting: boolean },
): Promise<FileStore> {
  const store = new FileStore(root);
  try {
    if (forWriting) {
      await mkdir(join(root, versions.stagingName), { recursive: true });
      await store.sweepUnfinished(abandonedAfterMs);
    } else {
      await readdir(root);
    }
    return store;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EEXIST'].includes(errnoOf(error) ?? '')) {
      throw new NightstillError('store-missing', `Expected a directory ${root}, found none`, {
        cause: error,
        details: { store: store.url, operation: 'open' },
      });
    }
    throw fileError(error, { store: store.url, operation: 'open' });
  }
}
