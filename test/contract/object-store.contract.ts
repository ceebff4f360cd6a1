/** What any object store must do for one caller: the port, verb by verb. */
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { bytesOf, keysOf, noise } from '../support/stage.js';
import type { StoreUnderTest } from '../support/store-under-test.js';

const text = (content: string): Uint8Array => Buffer.from(content);
const invalidKeys = ['', '/a', 'a/', 'a//b', '.', 'a/../b', '..', 'a b', 'a\\b', 'ä', 'a\0', 'a@', 'x'.repeat(901)];

export function objectStoreVerbs(underTest: () => StoreUnderTest): void {
  let store: ObjectStore;
  beforeAll(async () => {
    store = await openObjectStore(underTest().freshUrl(), { forWriting: true });
  });
  afterAll(() => store.close());

  describe('writing', () => {
    it('put writes whatever was there before, and says what is there now', async () => {
      const first = await store.put('put/a', text('one'));
      const second = await store.put('put/a', text('three'));
      expect(first).toMatchObject({ key: 'put/a', bytes: 3 });
      expect(second.version).not.toBe(first.version);
      expect(await store.describe('put/a')).toMatchObject({ key: 'put/a', bytes: 5, version: second.version });
      expect(String(await bytesOf(store, 'put/a'))).toBe('three');
    });

    it('putIfAbsent leaves an object that is there as it is', async () => {
      await store.putIfAbsent('absent/a', text('one'));
      await expect(store.putIfAbsent('absent/a', text('two'))).rejects.toMatchObject({
        code: 'object-exists',
        details: { store: store.url, key: 'absent/a', operation: 'putIfAbsent' },
      });
      expect(String(await bytesOf(store, 'absent/a'))).toBe('one');
    });

    it('putIfMatch replaces the version it names and no other', async () => {
      const first = await store.put('match/a', text('one'));
      const second = await store.putIfMatch('match/a', text('two'), first.version);
      for (const version of [first.version, 'no version of any store', '*', '']) {
        await expect(store.putIfMatch('match/a', text('three'), version)).rejects.toMatchObject({
          code: 'object-changed',
        });
      }
      expect(await store.describe('match/a')).toMatchObject({ version: second.version });
      expect(String(await bytesOf(store, 'match/a'))).toBe('two');
    });

    it('putIfMatch creates nothing where there is nothing any more', async () => {
      const { version } = await store.put('match/gone', text('one'));
      await store.remove('match/gone');
      await expect(store.putIfMatch('match/gone', text('two'), version)).rejects.toMatchObject({
        code: 'object-changed',
      });
      expect(await store.describe('match/gone')).toBeUndefined();
    });

    it('an empty object is an object', async () => {
      await store.putIfAbsent('empty/a', new Uint8Array());
      expect(await store.describe('empty/a')).toMatchObject({ bytes: 0 });
      expect(await bytesOf(store, 'empty/a')).toHaveLength(0);
    });

    it('takes a body from a source of known length', async () => {
      const bytes = noise(3_000_000, 1);
      async function* open() {
        for (let start = 0; start < bytes.length; start += 65_537) yield bytes.subarray(start, start + 65_537);
        await Promise.resolve();
      }
      await store.put('source/a', { bytes: bytes.length, open });
      expect((await bytesOf(store, 'source/a')).equals(bytes)).toBe(true);
    });

    it.each([3, 5])('writes nothing of a body that announces %i bytes and gives 4', async (bytes) => {
      const open = async function* () {
        yield text('four');
        await Promise.resolve();
      };
      await expect(store.put('source/wrong', { bytes, open })).rejects.toMatchObject({ code: 'object-body-invalid' });
      expect(await store.describe('source/wrong')).toBeUndefined();
    });

    it('writes nothing of a body whose source fails', async () => {
      const open = async function* () {
        yield text('fo');
        await Promise.resolve();
        throw new Error('the disk is gone');
      };
      await expect(store.put('source/broken', { bytes: 4, open })).rejects.toMatchObject({
        code: 'object-body-invalid',
        cause: { message: 'the disk is gone' },
      });
      expect(await store.describe('source/broken')).toBeUndefined();
    });
  });

  describe('reading', () => {
    const bytes = noise(100_000, 2);
    beforeAll(async () => {
      await store.put('range/a', bytes);
    });

    it.each([
      [0, 10],
      [50_000, 60_001],
      [99_999, 100_000],
      [99_990, 2_000_000],
    ])('gives the bytes from %i to %i, cut at the end of the object', async (start, end) => {
      const stored = await store.get('range/a', { range: { start, end } });
      expect(stored.bytes).toBe(100_000);
      expect(Buffer.concat(await stored.body.toArray()).equals(bytes.subarray(start, end))).toBe(true);
    });

    it.each([
      [100_000, 100_001],
      [5, 5],
      [6, 5],
      [-1, 5],
      [0.5, 5],
      [Number.NaN, 5],
    ])('refuses the range from %d to %d', async (start, end) => {
      await expect(store.get('range/a', { range: { start, end } })).rejects.toMatchObject({
        code: 'object-range-invalid',
      });
    });

    it('says of an object that is not there that it is missing', async () => {
      expect(await store.describe('nothing/here')).toBeUndefined();
      await expect(store.get('nothing/here')).rejects.toMatchObject({
        code: 'object-missing',
        details: { store: store.url, key: 'nothing/here', operation: 'get' },
      });
    });

    it('a body that is not read to its end can be destroyed', async () => {
      const { body } = await store.get('range/a');
      const closed = new Promise((resolve) => body.once('close', resolve));
      body.destroy();
      await closed;
      expect(body.destroyed).toBe(true);
    });
  });

  describe('removing', () => {
    it('takes an object away, and succeeds again when it is gone', async () => {
      await store.put('remove/a', text('one'));
      await store.remove('remove/a');
      await store.remove('remove/a');
      await store.remove('remove/never/there');
      expect(await store.describe('remove/a')).toBeUndefined();
      await store.putIfAbsent('remove/a', text('two'));
      expect(String(await bytesOf(store, 'remove/a'))).toBe('two');
    });
  });

  describe('listing', () => {
    // In the order of their bytes, which is not the order of a walk through directories.
    const keys = ['list/a-b', 'list/a.b', 'list/a/b', 'list/a/c/d', 'list/a0', 'list/aa', 'list/b=1', 'list/b_1'];
    beforeAll(() => Promise.all(keys.toReversed().map((key) => store.put(key, text(key)))));

    it('gives keys in ascending order of their bytes', async () => {
      expect(await keysOf(store, 'list/')).toEqual(keys);
    });

    it.each([
      'list/a',
      'list/a/',
      'list/a/c',
      'list/b',
      'list/a-b',
      'list/zzz',
      '../',
      'list/../list/',
      'a b',
      '@',
      '.',
    ])('takes any string as a prefix: %j', async (prefix) => {
      expect(await keysOf(store, prefix)).toEqual(keys.filter((key) => key.startsWith(prefix)));
    });

    it('describes each object as describe does', async () => {
      for await (const listed of store.list('list/')) expect(listed).toEqual(await store.describe(listed.key));
    });
  });

  describe('keys', () => {
    it.each(invalidKeys)('refuses %j in every verb', async (key) => {
      const refused = { code: 'object-key-invalid' };
      await expect(store.get(key)).rejects.toMatchObject(refused);
      await expect(store.describe(key)).rejects.toMatchObject(refused);
      await expect(store.put(key, text('x'))).rejects.toMatchObject(refused);
      await expect(store.putIfAbsent(key, text('x'))).rejects.toMatchObject(refused);
      await expect(store.putIfMatch(key, text('x'), '"x"')).rejects.toMatchObject(refused);
      await expect(store.remove(key)).rejects.toMatchObject(refused);
    });

    it('holds the longest key', async () => {
      const key = `${'x'.repeat(179)}/`.repeat(5).slice(0, -1);
      expect(key).toHaveLength(899);
      await store.put(`${key}y`, text('long'));
      expect(String(await bytesOf(store, `${key}y`))).toBe('long');
    });
  });

  describe('aborting', () => {
    it('ends every verb that has not begun', async () => {
      const signal = AbortSignal.abort();
      const aborted = { code: 'operation-aborted' };
      await store.put('abort/a', text('one'));
      await expect(store.get('abort/a', { signal })).rejects.toMatchObject(aborted);
      await expect(store.describe('abort/a', { signal })).rejects.toMatchObject(aborted);
      await expect(store.put('abort/a', text('two'), { signal })).rejects.toMatchObject(aborted);
      await expect(store.remove('abort/a', { signal })).rejects.toMatchObject(aborted);
      await expect(store.list('abort/', { signal })[Symbol.asyncIterator]().next()).rejects.toMatchObject(aborted);
      expect(String(await bytesOf(store, 'abort/a'))).toBe('one');
    });

    it('ends a write half way and leaves nothing', async () => {
      const caller = new AbortController();
      const open = async function* () {
        yield text('fo');
        caller.abort();
        await Promise.resolve();
        yield text('ur');
      };
      const write = store.put('abort/half', { bytes: 4, open }, { signal: caller.signal });
      await expect(write).rejects.toMatchObject({ code: 'operation-aborted' });
      expect(await store.describe('abort/half')).toBeUndefined();
    });

    it('ends a body that is being read', async () => {
      await store.put('abort/body', noise(4_000_000, 3));
      const caller = new AbortController();
      const { body } = await store.get('abort/body', { signal: caller.signal });
      const read = async () => {
        for await (const chunk of body) if (chunk) caller.abort();
      };
      await expect(read()).rejects.toMatchObject({ code: 'operation-aborted' });
    });
  });
}
