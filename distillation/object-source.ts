/**
 * A dataset in an S3 object, identified by location, size and ETag. It is read in ranges, each a request of its own, so that
 * a slow reader holds no connection open for hours.
 */
import { NightstillError, hasCode } from '../config/errors.js';
import { openObjectStore, type ByteRange, type ObjectStore } from '../storage/index.js';
import type { Abortable, DatasetSource, SourceIdentity } from './dataset-source.js';

const rangeBytes = 8 * 1024 * 1024;

/**
 * The whole path is the key, as it stands: `a//b` is not `a/b`.
 * @throws store-url-invalid, store-missing, store-unavailable
 */
export async function openObjectSource(url: URL, abortable: Abortable): Promise<DatasetSource> {
  const key = url.pathname.slice(1);
  const store = await openObjectStore(Object.assign(new URL(url), { pathname: '' }).href, abortable);
  const uri = `s3://${url.host}${url.pathname}`;
  return { ...objectIn(store, key, uri, abortable), close: () => store.close() };
}

/** An object of a store that somebody else closes. */
export const objectIn = (store: ObjectStore, key: string, uri: string, abortable: Abortable = {}): DatasetSource => ({
  identify: () => identify(store, key, uri, abortable),
  read: (identity, start, end = identity.bytes) => read(store, key, identity, { ...abortable, range: { start, end } }),
  close: () => Promise.resolve(),
});

async function identify(store: ObjectStore, key: string, uri: string, abortable: Abortable): Promise<SourceIdentity> {
  const found = await store.describe(key, abortable).catch((cause: unknown) => {
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
  { range: whole, ...abortable }: Abortable & { readonly range: ByteRange },
): AsyncIterable<Uint8Array> {
  for (let start = whole.start; start < whole.end; start += rangeBytes) {
    const end = Math.min(start + rangeBytes, whole.end);
    const { body, version } = await store.get(key, { ...abortable, range: { start, end } }).catch((cause: unknown) => {
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
