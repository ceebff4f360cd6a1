/** A store without atomic conditional writes is refused before anything is entrusted to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { NightstillError } from '../../config/errors.js';
import { openObjectStore } from '../../storage/index.js';
import { FileStore, openFileStore } from '../../storage/file-store.js';
import type { ObjectBody, ObjectDescription, ObjectKey } from '../../storage/object-store.js';
import { hasPassed, probe, probeOnce } from '../../storage/probe.js';
import { s3Error } from '../../storage/s3-errors.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { intercept } from '../support/intercepted-store.js';
import { S3Server } from '../support/s3-server.js';
import { bytesOf, keysOf } from '../support/stage.js';

/** Looks first and writes later, as servers do that keep no promise. */
class CheckThenCreate extends FileStore {
  override async putIfAbsent(key: ObjectKey, body: ObjectBody): Promise<ObjectDescription> {
    if ((await this.describe(key)) !== undefined) return super.putIfAbsent(key, body);
    return this.put(key, body);
  }
}

class CheckThenMove extends FileStore {
  override async putIfMatch(key: ObjectKey, body: ObjectBody, version: string): Promise<ObjectDescription> {
    if ((await this.describe(key))?.version !== version) return super.putIfMatch(key, body, version);
    return this.put(key, body);
  }
}

/** Answers as S3 servers do that know no condition. */
class NoConditions extends FileStore {
  override async putIfAbsent(key: ObjectKey): Promise<ObjectDescription> {
    const answer = Object.assign(new Error('not here'), { name: 'NotImplemented', $metadata: { httpStatusCode: 501 } });
    throw s3Error(answer, { store: this.url, operation: 'putIfAbsent', key });
  }
}

describe('in a directory', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nightstill-probe-'));
    await openFileStore(directory, { forWriting: true });
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it.each([
    ['putIfAbsent', CheckThenCreate],
    ['putIfMatch', CheckThenMove],
  ] as const)('a store whose %s looks first and writes later is refused, and left clean', async (operation, Store) => {
    const store = new Store(directory);
    await expect(probeOnce(store)).rejects.toMatchObject({ code: 'store-not-atomic', details: { operation } });
    expect(await keysOf(store)).toEqual([]);
  });

  it('a store that knows no conditional writes is refused', async () => {
    await expect(probeOnce(new NoConditions(directory))).rejects.toMatchObject({ code: 'store-not-atomic' });
  });

  it('a refusal is not remembered: the store may have been repaired', async () => {
    await expect(probeOnce(new CheckThenCreate(directory))).rejects.toMatchObject({ code: 'store-not-atomic' });
    await probeOnce(new FileStore(directory));
  });

  it('a damaged verdict is a reason to probe again', async () => {
    const store = new FileStore(directory);
    for (const verdict of ['', '{', 'null', '{"version":0}', '7']) {
      await store.put('probe/verdict.json', Buffer.from(verdict));
      await expect(probeOnce(new CheckThenCreate(directory))).rejects.toMatchObject({ code: 'store-not-atomic' });
    }
    const damaged = Readable.from(
      (async function* () {
        yield Buffer.from('{"version":');
        throw new NightstillError('object-damaged', 'the checksum does not match');
      })(),
    );
    expect(await hasPassed(intercept(store, { body: () => damaged }))).toBe(false);
  });
});

describe('on an S3 server', () => {
  let server: S3Server;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await S3Server.start();
    proxy = await FaultProxy.start(server.endpoint, 3);
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });
  const requestsOf = async (act: () => Promise<void>): Promise<number> => {
    const before = proxy.requests;
    await act();
    return proxy.requests - before;
  };

  it('the verdict is remembered in the store: a later open costs one read', async () => {
    const open = async () =>
      (await openObjectStore(server.url('remembered', proxy.endpoint), { forWriting: true })).close();
    expect(await requestsOf(open)).toBeGreaterThan(80);
    expect(await requestsOf(open)).toBe(1);
  });

  it('a reader reads and writes nothing', async () => {
    const url = server.url('reader', proxy.endpoint);
    expect(await requestsOf(async () => (await openObjectStore(url)).close())).toBe(1);
    const store = await openObjectStore(url);
    expect(await keysOf(store)).toEqual([]);
    await store.close();
  });

  it('a reader needs no permission but for what it reads', async () => {
    const writer = await openObjectStore(server.url('granted', proxy.endpoint), { forWriting: true });
    await writer.put('granted', Buffer.from('content'));
    await writer.close();
    proxy.plan(
      { fault: 'access-denied', path: /probe\/verdict\.json|list-type/ },
      { fault: 'access-denied', method: 'PUT' },
    );
    const store = await openObjectStore(server.url('granted', proxy.endpoint));
    expect(String(await bytesOf(store, 'granted'))).toBe('content');
    await expect(keysOf(store)).rejects.toMatchObject({ code: 'store-access-denied' });
    await store.close();
    proxy.plan();
  });

  it('lost answers make no honest store look dishonest', async () => {
    const store = await openObjectStore(server.url('lossy', proxy.endpoint));
    proxy.plan({ fault: 'lost-answer', method: 'PUT', probability: 0.2 });
    await probe(store);
    proxy.plan();
    expect(proxy.injected['lost-answer']).toBeGreaterThan(5);
    expect(await keysOf(store)).toEqual([]);
    await store.close();
  });

  it('a bucket that is not there is missing, for readers and writers', async () => {
    const url = server.url().replace(server.bucket, 'no-such-bucket');
    await expect(openObjectStore(url)).rejects.toMatchObject({ code: 'store-missing' });
    await expect(openObjectStore(url, { forWriting: true })).rejects.toMatchObject({
      code: 'store-missing',
      details: { httpStatus: 404, requestId: expect.stringMatching(/./) },
    });
  });

  it.each([
    ['AWS_SECRET_ACCESS_KEY', 'wrong'],
    ['AWS_ACCESS_KEY_ID', 'nobody'],
  ])('with a wrong %s access is denied: a writer at once, a reader at its first use', async (name, value) => {
    const right = process.env[name];
    process.env[name] = value;
    const denied = { code: 'store-access-denied', details: { operation: 'get' } };
    try {
      const url = server.url('denied');
      await expect(openObjectStore(url, { forWriting: true })).rejects.toMatchObject(denied);
      const store = await openObjectStore(url);
      await expect(store.get('any')).rejects.toMatchObject(denied);
      await store.close();
    } finally {
      process.env[name] = right;
    }
  });
});
