/**
 * From a URL to a store that answers. Opening for writing also makes sure, once per store, that its conditional writes are
 * atomic; opening for reading needs no permission to write. The AWS SDK is loaded only for s3:// URLs.
 */
import { hasCode } from '../config/errors.js';
import type { ObjectStore } from './object-store.js';
import { hasPassed, probeOnce } from './probe.js';
import { parseStoreUrl, type StoreLocation } from './store-url.js';

export interface OpenOptions {
  /** Default false: reading only. */
  readonly forWriting?: boolean;
  /** Ends the opening, not what is done with the store afterwards. */
  readonly signal?: AbortSignal;
}

/** @throws store-url-invalid, store-missing, store-access-denied, store-unavailable, store-not-atomic, operation-aborted */
export async function openObjectStore(
  url: string,
  { forWriting = false, ...options }: OpenOptions = {},
): Promise<ObjectStore> {
  const store = await open(parseStoreUrl(url), forWriting);
  try {
    await (forWriting ? probeOnce(store, options) : refuseMissing(store, options));
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** For readers the verdict is only the first read: a bucket that is not there is better told now. */
async function refuseMissing(store: ObjectStore, options: Pick<OpenOptions, 'signal'>): Promise<void> {
  try {
    await hasPassed(store, options);
  } catch (error) {
    // Who may not list is answered so for a key that is not there, and permissions may end at a prefix: this says nothing
    // of what will be read.
    if (!hasCode(error, 'store-access-denied')) throw error;
  }
}

async function open(location: StoreLocation, forWriting: boolean): Promise<ObjectStore> {
  if (location.kind === 'file') {
    const { openFileStore } = await import('./file-store.js');
    return openFileStore(location.directory, { forWriting });
  }
  const { S3Store } = await import('./s3.js');
  return new S3Store(location);
}
