/** Bytes that arrive damaged, and bytes that lie damaged: only the latter count. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { NightstillError } from '../../config/errors.js';
import { digestOf, lookupResult, type ObjectStore, type StageWriter } from '../../storage/index.js';
import { createOnce } from '../../storage/conditional.js';
import { headKind } from '../../storage/head.js';
import { blobKey, headKey, manifestPrefix, prefixes } from '../../storage/layout.js';
import { blobsOfManifest, readManifest } from '../../storage/manifest.js';
import { quarantine } from '../../storage/quarantine.js';
import { readRecord } from '../../storage/record.js';
import { intercept } from '../support/intercepted-store.js';
import { bytesOf, claim, keysOf, noise, outcomeOf, stageKeyOf } from '../support/stage.js';
import { openPlace, type StorePlace } from '../support/store-place.js';

let place: StorePlace;
let store: ObjectStore;
let stageKey: string;
let stages = 0;
beforeAll(async () => {
  place = await openPlace('a directory');
  store = place.store;
});
afterAll(() => place.close());
beforeEach(() => {
  stages += 1;
  stageKey = stageKeyOf(`damaged ${stages}`);
});

const save = (writer: StageWriter, step: number) => {
  const arrays = new Map([['weights', noise(20_000, stages * 100 + step)]]);
  return writer.save({ step, state: { step }, arrays }).durable;
};
const head = async () => (await readRecord(store, headKind, headKey(stageKey)))?.value;

describe('bytes that are damaged on the way', () => {
  /** The first readings of a key arrive damaged, each in another way. */
  const flipping = (readings: number, fits: (key: string) => boolean): ObjectStore => {
    const seen = new Map<string, number>();
    return intercept(store, {
      body: ({ key }, body) => {
        const reading = (seen.get(key) ?? 0) + 1;
        seen.set(key, reading);
        return fits(key) && reading <= readings ? flipped(body, reading) : body;
      },
    });
  };
  const flipped = (body: Readable, position: number): Readable =>
    Readable.from(
      (async function* () {
        const bytes = Buffer.concat(await body.toArray());
        bytes[position] = (bytes[position] ?? 0) ^ 1;
        yield bytes;
      })(),
    );

  it('are read again until they are right: nothing is put aside, no checkpoint is passed over', async () => {
    const writer = await claim(store, stageKey);
    for (const step of [1, 2]) await save(writer, step);
    const before = await head();
    const noisy = await claim(
      flipping(3, () => true),
      stageKey,
      2,
    );
    expect(await noisy.restore()).toMatchObject({ step: 2, damaged: [] });
    expect((await head())?.fence).toBe((before?.fence ?? 0) + 1);
    expect(await keysOf(store, prefixes.quarantine)).toEqual([]);
  });

  it('do not make an immutable object that is there already look like another', async () => {
    const key = `checkpoints/${stageKey}/record.json`;
    await createOnce(store, key, Buffer.from('the same bytes'));
    await createOnce(
      flipping(2, () => true),
      key,
      Buffer.from('the same bytes'),
    );
    await expect(createOnce(store, key, Buffer.from('other bytes'))).rejects.toMatchObject({ code: 'object-exists' });
  });

  it('in another way every time are the fault of the way, not of the object', async () => {
    const writer = await claim(store, stageKey);
    await save(writer, 1);
    const noisy = await claim(
      flipping(1000, (key) => key.startsWith(prefixes.blobs)),
      stageKey,
      2,
    );
    await expect(noisy.restore()).rejects.toMatchObject({ code: 'store-unavailable' });
    expect((await (await claim(store, stageKey, 3)).restore())?.step).toBe(1);
  });

  it('are told from bytes that lie damaged in the store, also where the store itself says so', async () => {
    const writer = await claim(store, stageKey);
    for (const step of [1, 2]) await save(writer, step);
    const manifest = (await keysOf(store, manifestPrefix(stageKey))).at(-1) ?? '';
    const bytes = await bytesOf(store, manifest);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    await store.put(manifest, bytes);
    const checking = intercept(store, { body: ({ key }, body) => (key === manifest ? mismatch(body) : body) });
    const restored = await (await claim(checking, stageKey, 2)).restore();
    expect(restored).toMatchObject({ step: 1, damaged: [manifest] });
  });

  it('are named by the result of the stage, whoever restored in their place', async () => {
    const writer = await claim(store, stageKey);
    for (const step of [1, 2]) await save(writer, step);
    const manifest = (await keysOf(store, manifestPrefix(stageKey))).at(-1) ?? '';
    await store.put(manifest, Buffer.from('damaged'));
    const second = await claim(store, stageKey, 2);
    await second.restore();
    await save(second, 2);
    const third = await claim(store, stageKey, 3);
    expect(await third.restore()).toMatchObject({ step: 2, damaged: [] });
    const result = await third.seal({ ...(await outcomeOf(third)), observations: { host: 'here' } });
    expect(result.outcome.observations).toEqual({ host: 'here', damagedCheckpoints: [manifest] });
    expect((await lookupResult(store, stageKey))?.outcome).toEqual(result.outcome);
  });

  it('are put aside only as they were seen, not as a successor wrote them while their finder was stopped', async () => {
    const writer = await claim(store, stageKey);
    for (const step of [1, 2]) await save(writer, step);
    const manifest = (await keysOf(store, manifestPrefix(stageKey))).at(-1) ?? '';
    const good = await bytesOf(store, manifest);
    await store.put(manifest, Buffer.from('damaged'));
    let looks = 0;
    const stopped = intercept(store, {
      after: async ({ operation, key }) => {
        if (operation !== 'describe' || key !== manifest || ++looks !== 2) return;
        await store.put(manifest, good);
        await sleep(1_100);
      },
    });
    expect(await (await claim(stopped, stageKey, 2)).restore()).toMatchObject({ step: 1, damaged: [manifest] });
    expect(await bytesOf(store, manifest)).toEqual(good);
  });

  it.each(['a blob', 'a head'] as const)(
    'are not put aside when a successor wrote %s again before its finder began to do so',
    async (what) => {
      const writer = await claim(store, stageKey);
      for (const step of [1, 2]) await save(writer, step);
      const manifest = (await head())?.manifest;
      if (!manifest) throw new Error('expected a manifest');
      const [blob] = blobsOfManifest(await readManifest(store, manifest));
      const key = what === 'a head' ? headKey(stageKey) : blobKey(blob?.digest ?? digestOf(''));
      const good = await bytesOf(store, key);
      await store.put(key, Buffer.from('damaged'));
      const late = intercept(store, {
        before: async ({ operation, key: which }) => {
          if (operation === 'describe' && which === key) await store.put(key, good);
        },
      });
      expect(await quarantine(late, key)).toBeUndefined();
      expect(await bytesOf(store, key)).toEqual(good);
      expect(await keysOf(store, `${prefixes.quarantine}${key}`)).toEqual([]);
    },
  );

  /** As the S3 adapter ends a body whose checksum does not match: without naming its key. */
  const mismatch = (body: Readable): Readable =>
    Readable.from(
      (async function* () {
        yield* body;
        throw new NightstillError('object-damaged', 'the checksum does not match');
      })(),
    );
});
