/** The S3 adapter on bad days: a real server behind a proxy that injects one fault after another. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../../config/errors.js';
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { S3Store } from '../../storage/s3.js';
import { parseStoreUrl } from '../../storage/store-url.js';
import { FaultProxy, type Fault } from '../support/fault-proxy.js';
import { S3Server } from '../support/s3-server.js';
import { bytesOf, keysOf, noise } from '../support/stage.js';

const attempts = 4;
let server: S3Server;
let proxy: FaultProxy;
let store: ObjectStore;

function open(url: string): S3Store {
  const location = parseStoreUrl(url);
  if (location.kind !== 's3') throw new Error('expected an S3 URL');
  return new S3Store(location, { attempts, backoffMs: 5, idleTimeoutMs: 1000, connectTimeoutMs: 1000 });
}

beforeAll(async () => {
  server = await S3Server.start();
  proxy = await FaultProxy.start(server.endpoint, 7);
  store = open(server.url('faults', proxy.endpoint));
});
afterEach(() => proxy.plan());
afterAll(async () => {
  await store.close();
  await proxy.stop();
  await server.stop();
});

const text = (content: string): Uint8Array => Buffer.from(content);
const large = noise(40_000_000, 5);
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a fault that passes', () => {
  const passing: Fault[] = [
    'slow-down',
    'internal-error',
    'conflict',
    'reset-before',
    'lost-answer',
    'truncated-request',
    'flipped-request',
    'hang',
  ];
  it.each(passing)('%s: put is repeated and the object is right', async (fault) => {
    const before = proxy.injected[fault];
    proxy.plan({ fault, method: 'PUT', times: 1 });
    await store.put(`passing/${fault}`, text(`after ${fault}`));
    expect(proxy.injected[fault]).toBe(before + 1);
    expect(String(await bytesOf(store, `passing/${fault}`))).toBe(`after ${fault}`);
  });

  it.each(['slow-down', 'internal-error', 'conflict', 'reset-before', 'truncated-request', 'flipped-request'] as const)(
    '%s: a conditional write is repeated and wins',
    async (fault) => {
      proxy.plan({ fault, method: 'PUT', times: 2 });
      const { version } = await store.putIfAbsent(`conditional/${fault}`, text('one'));
      proxy.plan({ fault, method: 'PUT', times: 2 });
      await store.putIfMatch(`conditional/${fault}`, text('two'), version);
      expect(String(await bytesOf(store, `conditional/${fault}`))).toBe('two');
    },
  );

  it('a bit flipped in a body whose SHA-256 is known never reaches the store', async () => {
    const bytes = noise(5_000_000, 6);
    const before = proxy.injected['flipped-request'];
    proxy.plan({ fault: 'flipped-request', method: 'PUT', times: 3 });
    await store.put('flipped/known', bytes, { sha256: sha256Of(bytes) });
    expect(proxy.injected['flipped-request']).toBe(before + 3);
    expect((await bytesOf(store, 'flipped/known')).equals(bytes)).toBe(true);
  });

  it('a bit flipped in a body whose SHA-256 is not known never reaches the store', async () => {
    const bytes = noise(5_000_000, 7);
    proxy.plan({ fault: 'flipped-request', method: 'PUT', times: 3 });
    await store.put('flipped/unknown', bytes);
    expect((await bytesOf(store, 'flipped/unknown')).equals(bytes)).toBe(true);
  });

  it.each(['slow-down', 'reset-before', 'lost-answer', 'flipped-request', 'truncated-request'] as const)(
    '%s: a large object arrives whole, whichever of its requests it meets',
    async (fault) => {
      proxy.plan(
        { fault, path: /partNumber=/, times: 2 },
        { fault, method: 'POST', path: /uploads/, times: 1 },
        { fault, method: 'POST', path: /uploadId=/, times: 1 },
      );
      await store.put(`large/${fault}`, large);
      proxy.plan();
      expect(sha256Of(await bytesOf(store, `large/${fault}`))).toBe(sha256Of(large));
    },
  );

  it('reading is repeated until the answer begins', async () => {
    await store.put('read/a', text('content'));
    for (const fault of ['slow-down', 'internal-error', 'reset-before', 'lost-answer', 'hang'] as const) {
      proxy.plan({ fault, method: 'GET', times: 1 }, { fault, method: 'HEAD', times: 1 });
      expect(await store.describe('read/a')).toMatchObject({ bytes: 7 });
      expect(String(await bytesOf(store, 'read/a'))).toBe('content');
    }
  });

  it('a slow answer is waited for', async () => {
    await store.put('read/slow', noise(500_000, 8));
    proxy.plan({ fault: 'slow-answer', method: 'GET' });
    expect((await bytesOf(store, 'read/slow')).equals(noise(500_000, 8))).toBe(true);
  });

  it('removing is repeated', async () => {
    await store.put('remove/a', text('x'));
    proxy.plan({ fault: 'lost-answer', method: 'DELETE', times: 1 });
    await store.remove('remove/a');
    expect(await store.describe('remove/a')).toBeUndefined();
  });
});

describe('a lost answer to a write that was applied', () => {
  it('looks like a lost race, and the object holds our bytes: the caller must compare', async () => {
    proxy.plan({ fault: 'lost-answer', method: 'PUT', times: 1 });
    await expect(store.putIfAbsent('lost/a', text('ours'))).rejects.toMatchObject({
      code: 'object-exists',
      details: { attempts: 2 },
    });
    expect(String(await bytesOf(store, 'lost/a'))).toBe('ours');
    const version = (await store.describe('lost/a'))?.version ?? '';
    proxy.plan({ fault: 'lost-answer', method: 'PUT', times: 1 });
    await expect(store.putIfMatch('lost/a', text('ours again'), version)).rejects.toMatchObject({
      code: 'object-changed',
      details: { attempts: 2 },
    });
    expect(String(await bytesOf(store, 'lost/a'))).toBe('ours again');
  });

  it('may be known to the server when it was the completion of a large object', async () => {
    proxy.plan({ fault: 'lost-answer', method: 'POST', path: /uploadId=/, times: 1 });
    const outcome = await store.putIfAbsent('lost/large', large).then(
      () => 'written',
      (error: unknown) => hasCode(error) && error.code,
    );
    expect(['written', 'object-exists']).toContain(outcome);
    expect(sha256Of(await bytesOf(store, 'lost/large'))).toBe(sha256Of(large));
  });

  it('an upload begun in vain is freed by the sweep', async () => {
    await store.sweepUnfinished?.(0);
    proxy.plan({ fault: 'lost-answer', method: 'POST', path: /uploads/, times: 1 });
    await store.put('lost/begun', large);
    proxy.plan();
    expect(await store.sweepUnfinished?.(60_000)).toBe(0);
    await sleep(1000); // The server dates its answers in whole seconds, an upload's beginning in milliseconds.
    expect(await store.sweepUnfinished?.(0)).toBe(1);
    expect(await store.sweepUnfinished?.(0)).toBe(0);
  });
});

describe('a fault that stays', () => {
  it.each([
    ['slow-down', 503],
    ['internal-error', 500],
    ['conflict', 409],
    ['reset-before', null],
  ] as const)('%s ends as store-unavailable, with all its facts', async (fault, httpStatus) => {
    proxy.plan({ fault });
    const requestId = httpStatus === null ? null : 'injected';
    await expect(store.put('staying/a', text('x'))).rejects.toMatchObject({
      code: 'store-unavailable',
      retryable: true,
      details: { store: store.url, key: 'staying/a', operation: 'put', httpStatus, requestId, attempts },
    });
  });

  it('a server that never answers is given up', async () => {
    proxy.plan({ fault: 'hang' });
    await expect(store.describe('staying/a')).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('a server that hangs is given up in time, whatever attempts are left', async () => {
    const location = parseStoreUrl(store.url);
    if (location.kind !== 's3') throw new Error('expected an S3 URL');
    const hanging = new S3Store(location, { attempts: 100, backoffMs: 1, idleTimeoutMs: 200, repeatWithinMs: 300 });
    proxy.plan({ fault: 'hang' });
    await expect(hanging.describe('staying/a')).rejects.toMatchObject({
      code: 'store-unavailable',
      details: { attempts: 2 },
    });
    await hanging.close();
  });

  it.each([false, true])('an abort ends the opening of a store that hangs (for writing: %s)', async (forWriting) => {
    proxy.plan({ fault: 'hang' });
    const opening = openObjectStore(store.url, { forWriting, signal: AbortSignal.timeout(100) });
    await expect(opening).rejects.toMatchObject({ code: 'operation-aborted' });
  });

  it('a server that is gone is store-unavailable, and works again when it is back', async () => {
    const direct = open(server.url('gone'));
    await direct.put('a', text('kept'));
    await server.kill();
    await expect(bytesOf(direct, 'a')).rejects.toMatchObject({ code: 'store-unavailable' });
    await server.restart();
    expect(String(await bytesOf(direct, 'a'))).toBe('kept');
    await direct.close();
  });

  it('an abort ends the waiting between attempts', async () => {
    const patient = new S3Store(
      { bucket: server.bucket, prefix: '', region: 'us-east-1', endpoint: proxy.endpoint, forcePathStyle: true },
      { attempts: 100, backoffMs: 60_000 },
    );
    proxy.plan({ fault: 'slow-down' });
    const caller = new AbortController();
    const write = patient.put('staying/abort', text('x'), { signal: caller.signal });
    setTimeout(() => caller.abort(), 100);
    await expect(write).rejects.toMatchObject({ code: 'operation-aborted' });
    await patient.close();
  });
});

describe('an answer that is damaged on its way', () => {
  it('a body that breaks off ends the stream as store-unavailable', async () => {
    await store.put('damaged/cut', noise(300_000, 9));
    proxy.plan({ fault: 'truncated-answer', method: 'GET' });
    await expect(bytesOf(store, 'damaged/cut')).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('a flipped bit in a small object ends the stream as object-damaged', async () => {
    await store.put('damaged/flipped', noise(300_000, 10));
    proxy.plan({ fault: 'flipped-answer', method: 'GET' });
    await expect(bytesOf(store, 'damaged/flipped')).rejects.toMatchObject({ code: 'object-damaged', retryable: true });
  });

  it('a flipped bit in the answers to a large write leaves the whole object or none, and throws nothing but codes', async () => {
    for (let turn = 0; turn < 12; turn++) {
      const key = `damaged/large-${turn}`;
      proxy.plan({ fault: 'flipped-answer', method: 'POST' });
      const outcome: unknown = await store.put(key, large).catch((error: unknown) => error);
      proxy.plan();
      if (outcome instanceof Error) expect(hasCode(outcome)).toBe(true);
      const there = await store.describe(key);
      if (there !== undefined) expect(sha256Of(await bytesOf(store, key))).toBe(sha256Of(large));
      else expect(outcome).toMatchObject({ code: expect.any(String) });
    }
  });

  it('a listing gives all keys or a coded error, never fewer', async () => {
    const keys = Array.from({ length: 1100 }, (_, index) => `pages/${String(index).padStart(4, '0')}`);
    for (const key of keys) await store.put(key, text('x'));
    proxy.plan({
      fault: 'slow-down',
      path: /list-type=2.*continuation-token=|continuation-token=.*list-type=2/,
      times: 2,
    });
    expect(await keysOf(store, 'pages/')).toEqual(keys);
    proxy.plan({ fault: 'slow-down', path: /continuation-token=/ });
    await expect(keysOf(store, 'pages/')).rejects.toMatchObject({ code: 'store-unavailable' });
    proxy.plan({ fault: 'truncated-answer', path: /list-type=2/ });
    await expect(keysOf(store, 'pages/')).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('a flipped bit in a listing never throws anything but a code', async () => {
    proxy.plan({ fault: 'flipped-answer', path: /list-type=2/ });
    const codes = new Set<unknown>();
    for (let turn = 0; turn < 60; turn++) {
      await keysOf(store, 'pages/000').catch((error: unknown) => codes.add(hasCode(error) ? error.code : error));
    }
    expect([...codes]).toEqual(['store-unavailable']);
  });
});
