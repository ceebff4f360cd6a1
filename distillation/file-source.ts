/** A dataset in a local file, identified by path, size and modification time in nanoseconds. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { NightstillError } from '../config/errors.js';
import type { DatasetSource, SourceIdentity } from './dataset-source.js';

const chunkBytes = 1024 * 1024;

/** @throws plan-invalid for a URL that names no local path */
export function openFileSource(url: URL): DatasetSource {
  const path = localPathOf(url.href);
  return {
    identify: () => identify(url, path),
    read: (identity, start, end = identity.bytes) => read(path, start, end),
    close: () => Promise.resolve(),
  };
}

/** @param url as it was written: `%2F`, `?` and `#` name nothing here. @throws plan-invalid */
export function localPathOf(url: string): string {
  try {
    if (!/[?#]/.test(url)) return fileURLToPath(url);
  } catch (cause) {
    throw noPath('a host or an encoded slash', cause);
  }
  throw noPath('a query or a fragment');
}

const noPath = (found: string, cause?: unknown): NightstillError =>
  new NightstillError('plan-invalid', `dataset: expected file:///absolute/path, found ${found} in it`, { cause });

async function identify(url: URL, path: string): Promise<SourceIdentity> {
  const found = await stat(path, { bigint: true }).catch((cause: unknown) => {
    throw missing(path, isAbsent(cause) ? 'none' : 'none that can be read', cause);
  });
  if (!found.isFile())
    throw missing(path, found.isDirectory() ? 'a directory: one that is meant ends in /' : 'something else');
  return { uri: url.href, bytes: Number(found.size), modifiedAtNs: String(found.mtimeNs) };
}

async function* read(path: string, start: number, end: number): AsyncIterable<Uint8Array> {
  if (start >= end) return;
  try {
    yield* createReadStream(path, { start, end: end - 1, highWaterMark: chunkBytes }) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw missing(path, 'none that can be read', cause);
  }
}

/** Does the error say that nothing has this name? After any other, something may be there. */
export const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

const missing = (path: string, found: string, cause?: unknown): NightstillError =>
  new NightstillError('dataset-missing', `${path}: expected a file, found ${found}`, {
    cause,
    details: { isAbsent: isAbsent(cause) },
  });
