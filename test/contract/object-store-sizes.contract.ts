/** What any object store must do with many objects and with large ones. */
import { createHash } from 'node:crypto';
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { keysOf, noise } from '../support/stage.js';
import type { StoreUnderTest } from '../support/store-under-test.js';

const mebibyte = 1024 * 1024;

export function objectStoreSizes(underTest: () => StoreUnderTest): void {
  let store: ObjectStore;
  beforeAll(async () => {
    store = await openObjectStore(underTest().freshUrl(), { forWriting: true });
  });
  afterAll(() => store.close());

  it('lists 2,500 objects completely and in order', async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => `many/${index % 7}/${String(index).padStart(5, '0')}`);
    const waiting = [...keys];
    const writer = async () => {
      for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) await store.put(key, Buffer.from('x'));
    };
    await Promise.all(Array.from({ length: 16 }, writer));
    expect(await keysOf(store, 'many/')).toEqual(keys.toSorted());
  });

  describe('an object of 64 MB', () => {
    const bytes = noise(64_000_000, 4);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const source = {
      bytes: bytes.length,
      async *open() {
        for (let start = 0; start < bytes.length; start += mebibyte) yield bytes.subarray(start, start + mebibyte);
        await Promise.resolve();
      },
    };
    const digestIn = async (key: string): Promise<string> => {
      const hash = createHash('sha256');
      for await (const chunk of (await store.get(key)).body) hash.update(chunk);
      return hash.digest('hex');
    };

    it('comes back as it was, from memory and from a source', async () => {
      await store.putIfAbsent('large/memory', bytes, { sha256 });
      await store.put('large/source', source);
      expect(await store.describe('large/memory')).toMatchObject({ bytes: bytes.length });
      expect(await digestIn('large/memory')).toBe(sha256);
      expect(await digestIn('large/source')).toBe(sha256);
    });

    it('keeps conditions', async () => {
      const { version } = await store.put('large/conditions', Buffer.from('small'));
      await expect(store.putIfAbsent('large/conditions', source)).rejects.toMatchObject({ code: 'object-exists' });
      const moved = await store.putIfMatch('large/conditions', source, version);
      await expect(store.putIfMatch('large/conditions', source, version)).rejects.toMatchObject({
        code: 'object-changed',
      });
      expect(await store.describe('large/conditions')).toMatchObject({ version: moved.version, bytes: bytes.length });
    });

    it('of several writers exactly one creates it', async () => {
      const writes = Array.from({ length: 4 }, () => store.putIfAbsent('large/race', bytes));
      const outcomes = await Promise.allSettled(writes);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await digestIn('large/race')).toBe(sha256);
    });

    it('can be read in pieces', async () => {
      await store.put('large/pieces', bytes);
      const { body } = await store.get('large/pieces', { range: { start: 33_000_000, end: 34_000_000 } });
      expect(Buffer.concat(await body.toArray()).equals(bytes.subarray(33_000_000, 34_000_000))).toBe(true);
    });

    it('leaves nothing behind when its source fails', async () => {
      const open = async function* () {
        yield bytes.subarray(0, 40_000_000);
        await Promise.resolve();
        throw new Error('the disk is gone');
      };
      const write = store.put('large/broken', { bytes: bytes.length, open });
      await expect(write).rejects.toMatchObject({ code: 'object-body-invalid' });
      expect(await store.describe('large/broken')).toBeUndefined();
      expect(await store.sweepUnfinished?.(0)).toBe(0);
    });
  });
}
