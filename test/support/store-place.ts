/** Stores that several processes work in: a directory, a real S3 server. */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
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
  /** Another store beside it, empty. */
  openFresh(): Promise<ObjectStore>;
  /** Closes the store and removes everything. */
  close(): Promise<void>;
}

export async function openPlace(kind: (typeof placeKinds)[number]): Promise<StorePlace> {
  if (kind === 'an S3 server') {
    const server = await S3Server.start();
    return placeOf(
      (name) => Promise.resolve(server.url(name)),
      server.environment,
      () => server.stop(),
    );
  }
  const directory = await mkdtemp(join(tmpdir(), 'nightstill-store-'));
  const urlOf = async (name: string): Promise<string> => {
    await mkdir(join(directory, name));
    return pathToFileURL(join(directory, name)).href;
  };
  return placeOf(urlOf, {}, () => rm(directory, { recursive: true, force: true }));
}

async function placeOf(
  urlOf: (name: string) => Promise<string>,
  environment: Readonly<Record<string, string>>,
  remove: () => Promise<void>,
): Promise<StorePlace> {
  const url = await urlOf('store');
  const store = await openObjectStore(url, { forWriting: true });
  // The store beside has been probed: these need no probe.
  const openFresh = async (): Promise<ObjectStore> => openObjectStore(await urlOf(`fresh-${randomUUID()}`));
  const close = async (): Promise<void> => {
    await store.close();
    await remove();
  };
  return { url, store, environment, openFresh, close };
}
