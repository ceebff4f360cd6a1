/** Empty places in real stores, for the contract suite: what differs between the stores, and nothing else. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readEnvironment } from '../../config/environment.js';
import { openObjectStore } from '../../storage/open-store.js';
import { S3Server } from './s3-server.js';

export interface StoreUnderTest {
  /** The URL of an empty place; each call another. */
  freshUrl(): string;
  /** What a child process needs in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function directoryUnderTest(): Promise<StoreUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'nightstill-store-'));
  return {
    freshUrl() {
      const fresh = join(directory, randomUUID());
      mkdirSync(fresh);
      return pathToFileURL(fresh).href;
    },
    environment: {},
    stop: () => rm(directory, { recursive: true, force: true }),
  };
}

export async function s3UnderTest(): Promise<StoreUnderTest> {
  const server = await S3Server.start();
  return {
    freshUrl: () => server.url(`contract-${randomUUID()}`),
    environment: server.environment,
    stop: () => server.stop(),
  };
}

/** A store of the user; what the tests wrote is removed in the end. */
function storeUnderTest(url: string): StoreUnderTest {
  const used: string[] = [];
  return {
    freshUrl() {
      const place = new URL(url);
      place.pathname = `${place.pathname.replace(/\/$/, '')}/contract-${randomUUID()}`;
      used.push(place.href);
      return place.href;
    },
    environment: {},
    async stop() {
      for (const place of used) {
        const store = await openObjectStore(place);
        for await (const { key } of store.list('')) await store.remove(key);
        await store.close();
      }
    },
  };
}

/** Runs a contract on a directory, on a real S3 server, and on the store that NIGHTSTILL_TEST_STORE names, if it does. */
export function onEveryStore(contract: (start: () => Promise<StoreUnderTest>) => void): void {
  describe('a directory', () => contract(directoryUnderTest));
  describe('an S3 server', () => contract(s3UnderTest));
  const { testStoreUrl } = readEnvironment();
  if (testStoreUrl === undefined) {
    process.stdout.write('NIGHTSTILL_TEST_STORE is not set: checked on a directory and a local S3 server only\n');
    return;
  }
  describe('the store of NIGHTSTILL_TEST_STORE', () => contract(() => Promise.resolve(storeUnderTest(testStoreUrl))));
}
