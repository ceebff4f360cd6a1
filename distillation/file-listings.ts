/** What lies under a place: in a directory of this machine, or under a prefix of a bucket. */
import { readdir } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { hasCode, NightstillError } from '../config/errors.js';
import { openObjectStore } from '../storage/index.js';
import type { Abortable, DatasetSource, SourceIdentity } from './dataset-source.js';
import { isAbsent, openFileSource } from './file-source.js';
import { objectIn } from './object-source.js';

type FileVersion = Omit<SourceIdentity, 'uri'> & { readonly name: string };

/** Names are relative to the base. */
export interface FileListing {
  uriOf(name: string): string;
  /** In any order. `prefix` only saves looking elsewhere. */
  list(prefix: string, fits: (name: string) => boolean): AsyncIterable<FileVersion>;
  open(name: string): DatasetSource;
  close(): Promise<void>;
}

/** @param root absolute path of a directory, ending in `/` */
export function directoryListing(root: string, { signal }: Abortable): FileListing {
  const uriOf = (name: string): string => pathToFileURL(`${root}${name}`).href;
  const open = (name: string): DatasetSource => openFileSource(new URL(uriOf(name)));
  return {
    uriOf,
    async *list(prefix, fits) {
      for await (const name of namesUnder(root, prefix.slice(0, prefix.lastIndexOf('/') + 1))) {
        signal?.throwIfAborted();
        if (!fits(name)) continue;
        const found = await open(name).identify().catch(goneMeanwhile);
        if (found) yield { name, bytes: found.bytes, modifiedAtNs: found.modifiedAtNs ?? '' };
      }
    },
    open,
    close: () => Promise.resolve(),
  };
}

/** What was removed between the listing and the look at it is not there. */
function goneMeanwhile(error: unknown): undefined {
  if (!hasCode(error, 'dataset-missing') || error.details['isAbsent'] !== true) throw error;
}

/** A directory that is not there has no files; links to directories are not followed. */
async function* namesUnder(root: string, directory: string): AsyncGenerator<string> {
  const entries = await readdir(`${root}${directory}`, { withFileTypes: true }).catch((cause: unknown) => {
    if (isAbsent(cause)) return [];
    throw new NightstillError(
      'dataset-missing',
      `${root}${directory}: expected a directory, found none that can be read`,
      {
        cause,
      },
    );
  });
  for (const entry of entries) {
    const name = `${directory}${entry.name}`;
    if (entry.isDirectory()) yield* namesUnder(root, `${name}/`);
    else if (entry.isFile() || entry.isSymbolicLink()) yield name;
  }
}

/** These files are refused and not passed over: nobody would notice that their rows are missing. */
const unreadableNames = (where: string, [first = '', ...others]: readonly string[]): NightstillError =>
  new NightstillError(
    'plan-invalid',
    `dataset: ${where}: expected keys of A-Z a-z 0-9 . _ = - and slashes, found ${JSON.stringify(first)}${others.length > 0 ? ` and ${others.length} more` : ''}`,
  );

/** @param base `s3://bucket/prefix/` @throws store-url-invalid, store-missing, store-unavailable; plan-invalid for keys that cannot be read */
export async function objectListing(base: string, parameters: string, abortable: Abortable): Promise<FileListing> {
  const { host, pathname } = new URL(base);
  const root = pathname.slice(1);
  const store = await openObjectStore(`s3://${host}${parameters}`, abortable);
  const uriOf = (name: string): string => `${base}${name}`;
  return {
    uriOf,
    async *list(prefix, fits) {
      const onPassedOver = (key: string): void => {
        if (fits(key.slice(root.length))) passedOver.push(key);
      };
      const passedOver: string[] = [];
      for await (const { key, bytes, version } of store.list(`${root}${prefix}`, { ...abortable, onPassedOver })) {
        const name = key.slice(root.length);
        if (fits(name)) yield { name, bytes, etag: version };
      }
      if (passedOver.length > 0) throw unreadableNames(uriOf(prefix), passedOver);
    },
    open: (name) => objectIn(store, `${root}${name}`, uriOf(name), abortable),
    close: () => store.close(),
  };
}
