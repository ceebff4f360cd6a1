/**
 * A dataset in an S3 object, identified by location, size and ETag. It is read in ranges, each a request of its own, so that
 * a slow reader holds no connection open for hours.
 */
import { NightstillError, hasCode } from '../config/errors.js';
import { openObjectStore, type ObjectStore } from '../storage/index.js';
import type { DatasetSource, SourceIdentity } from './dataset-source.js';

const rangeBytes = 8 * 1024 * 1024;

/**
 * The whole path is the key, as it stands: `a//b` is not `a/b`.
 * @throws store-url-invalid, store-missing, store-unavailable
 */
export async function openObjectSource(url: URL): Promise<DatasetSource> {
  const key = url.pathname.slice(1);
  const store = await openObjectStore(Object.assign(new URL(url), { pathname: '' }).href);
  const uri = `s3://${url.host}${url.pathname}`;
  return { ...objectIn(store, key, uri), close: () => store.close() };
}

/** An object of a store that somebody else closes. */
export const objectIn = (store: ObjectStore, key: string, uri: string): DatasetSource => ({
  identify: () => identify(store, key, uri),
  read: (identity, start, end = identity.bytes) => read(store, key, identity, start, end),
  close: () => Promise.resolve(),
});

async function identify(store: ObjectStore, key: string, uri: string): Promise<SourceIdentity> {
  const found = await store.describe(key).catch((cause: unknown) => {
    throw hasCode(cause, 'object-key-invalid')
      ? new NightstillError('plan-invalid', `dataset: ${uri}: ${cause.message}`, { cause })
      : cause;
  });
  if (found === undefined)
    throw new NightstillError('dataset-missing', `${uri}: expected an object, found none`, {
      details: { isAbsent: true },
    });
  return { uri, bytes: found.bytes, etag: found.version };
}

async function* read(
  store: ObjectStore,
  key: string,
  identity: SourceIdentity,
  from: number,
  to: number,
): AsyncIterable<Uint8Array> {
  for (let start = from; start < to; start += rangeBytes) {
    const end = Math.min(start + rangeBytes, to);
    const { body, version } = await store.get(key, { range: { start, end } }).catch((cause: unknown) => {
      throw hasCode(cause, 'object-missing', 'object-range-invalid') ? changed(identity, cause) : cause;
    });
    if (version !== identity.etag) {
      body.destroy();
      throw changed(identity);
    }
    yield* body as AsyncIterable<Uint8Array>;
  }
}

const changed = ({ uri }: SourceIdentity, cause?: unknown): NightstillError =>
  new NightstillError('dataset-changed', `${uri}: expected it not to change while it is read, found another version`, {
    cause,
  });
