/**
 * Where a dataset is read from: a local file or an S3 object. A source can say which version of the data it has, without
 * reading it, and can be read from any byte. Two versions of a file with equal size and equal modification time count as one: users
 * are told that such a file is taken to be unchanged.
 */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import { openFileSource } from './file-source.js';
import { openObjectSource } from './object-source.js';

/** Which data it is: location, size in bytes, and the store's version or the time of the last change. */
export const sourceIdentitySchema = z.object({
  uri: z.string(),
  bytes: z.int().nonnegative(),
  /** Of an object. */
  etag: z.string().optional(),
  /** Of a file: nanoseconds since the epoch, as text. */
  modifiedAtNs: z.string().optional(),
});
export type SourceIdentity = Readonly<z.output<typeof sourceIdentitySchema>>;

/** Aborted: what is asked of a store, and a listing, ends with an error. */
export interface Abortable {
  readonly signal?: AbortSignal;
}

export interface DatasetSource {
  /** @throws dataset-missing */
  identify(): Promise<SourceIdentity>;
  /**
   * The bytes from `start` up to `end`, which is that of the identity unless given.
   * @throws dataset-missing, dataset-changed where the source notices while reading
   */
  read(identity: SourceIdentity, start: number, end?: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * @param uri `file:///absolute/path`, or `s3://bucket/key` with the parameters of a store URL (`?region=…&endpoint=…`)
 * @throws plan-invalid for any other uri
 */
export async function openDatasetSource(uri: string, abortable: Abortable = {}): Promise<DatasetSource> {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url?.protocol === 'file:') return openFileSource(url);
  if (url?.protocol === 's3:') return openObjectSource(url, abortable);
  throw new NightstillError(
    'plan-invalid',
    `dataset: expected a file:// or s3:// URL, found "${url?.protocol ?? 'no URL'}"`,
  );
}

/** @throws dataset-changed when the source is no longer the data that `identity` names */
export async function confirmUnchanged(source: DatasetSource, identity: SourceIdentity): Promise<void> {
  const found = await source.identify();
  const { uri, bytes, etag, modifiedAtNs } = identity;
  if (found.uri === uri && found.bytes === bytes && found.etag === etag && found.modifiedAtNs === modifiedAtNs) return;
  throw new NightstillError(
    'dataset-changed',
    `${uri}: expected the ${bytes} bytes of version ${etag ?? modifiedAtNs}, found ${found.bytes} bytes of ${found.etag ?? found.modifiedAtNs}`,
  );
}

/**
 * All of it, as it was when it was identified: what was read of another version is given to nobody.
 * @throws dataset-changed, dataset-missing, plan-invalid
 */
export async function readUnchanged(uri: string, identity: SourceIdentity): Promise<Uint8Array> {
  const source = await openDatasetSource(uri);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.read(identity, 0)) chunks.push(chunk);
    await confirmUnchanged(source, identity);
    return Buffer.concat(chunks);
  } finally {
    await source.close();
  }
}
