/** Stores that several processes work in: a directory, a real S3 server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { S3Server } from './s3-server.js';

export const placeKinds = ['a directory', 'an S3 server'] as const;

export interface StorePlace {
  readonly url: string;
  readonly store: ObjectStore;
  /** What a child process needs in its environment to open the URL. */
  readonly environment: Readonly<Record<string, string>>;
  /** Closes the store and removes everything. */
  close(): Promise<void>;
}

export async function openPlace(kind: (typeof placeKinds)[number]): Promise<StorePlace> {
  if (kind === 'an S3 server') {
    const server = await S3Server.start();
    return placeOf(server.url('nightstill'), server.environment, () => server.stop());
  }
  const directory = await mkdtemp(join(tmpdir(), 'nightstill-store-'));
  return placeOf(pathToFileURL(directory).href, {}, () => rm(directory, { recursive: true, force: true }));
}

async function placeOf(
  url: string,
  environment: Readonly<Record<string, string>>,
  remove: () => Promise<void>,
): Promise<StorePlace> {
  const store = await openObjectStore(url, { forWriting: true });
  const close = async (): Promise<void> => {
    await store.close();
    await remove();
  };
  return { url, store, environment, close };
}
