/** The checkpoint protocol, as any store must carry it. */
import {
  collect,
  lookupResult,
  readArtifact,
  readBlob,
  type ObjectStore,
  type StageWriter,
} from '../../storage/index.js';
import { claimStage } from '../../storage/claim.js';
import { headKind } from '../../storage/head.js';
import { blobKey, headKey, manifestPrefix, resultKey } from '../../storage/layout.js';
import { manifestKind } from '../../storage/manifest.js';
import { packBytes, readSlice } from '../../storage/packs.js';
import { readRecord } from '../../storage/record.js';
import { bytesOf, claim, keysOf, noise, owner, stageKeyOf } from '../support/stage.js';

export function checkpointProtocol(open: () => Promise<ObjectStore>): void {
  let store: ObjectStore;
  let stageKey: string;
  let stages = 0;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(async () => {
    await store.close();
  });
  beforeEach(() => {
    stages += 1;
    stageKey = stageKeyOf(`${store.url} ${stages} ${process.pid} ${Date.now()}`);
  });

  const arrays = (step: number): Map<string, Uint8Array> =>
    new Map([
      ['weights', noise(200_000, stages * 1000 + step)],
      ['moments', noise(1_000, stages * 1000 + step + 500)],
    ]);
  const save = async (writer: StageWriter, step: number): Promise<void> => {
    await writer.save({ step, state: { step }, arrays: arrays(step) }).durable;
  };
  const outcome = async (writer: StageWriter, content = 'rows', reproducible = true) => {
    const part = { ...(await writer.putBlob(new Uint8Array(Buffer.from(content)))), rows: 1 };
    const dataset = await writer.putArtifact({ kind: 'dataset', parts: [part], meta: {} });
    return { preimage: { kind: 'import' }, outputs: { dataset }, facts: { rows: 1 }, observations: {}, reproducible };
  };
  const head = async () => (await readRecord(store, headKind, headKey(stageKey)))?.value;

  describe('claims', () => {
    it('hands out fences in ascending order, whatever the attempt number says', async () => {
      expect((await claim(store, stageKey, 7)).fence).toBe(1);
      expect((await claim(store, stageKey, 1)).fence).toBe(2);
    });

    it('a writer with an older fence can move neither head nor seal nor result', async () => {
      const zombie = await claim(store, stageKey);
      await save(zombie, 1);
      const successor = await claim(store, stageKey, 2);
      await save(successor, 2);
      const before = await bytesOf(store, headKey(stageKey));
      await expect(zombie.save({ step: 3, state: null, arrays: arrays(3) }).durable).rejects.toMatchObject({
        code: 'fence-lost',
      });
      await expect(outcome(zombie)).rejects.toMatchObject({ code: 'fence-lost' });
      expect(() => zombie.save({ step: 4, state: null })).toThrow(expect.objectContaining({ code: 'fence-lost' }));
      expect(await bytesOf(store, headKey(stageKey))).toEqual(before);
      expect(await store.describe(resultKey(stageKey))).toBeUndefined();
    });

    it('a stage is busy while another open activity holds it, and free once that is closed', async () => {
      await claim(store, stageKey);
      const request = { stageKey, owner: owner(1, 'train', 'run-2') };
      await expect(claimStage(store, { ...request, isOpen: () => Promise.resolve(true) })).rejects.toMatchObject({
        code: 'stage-busy',
        retryable: true,
      });
      expect((await claimStage(store, { ...request, isOpen: () => Promise.resolve(false) })).fence).toBe(2);
    });

    it('of many claims at once every fence is handed out once', async () => {
      const claims = await Promise.allSettled(Array.from({ length: 12 }, (_, index) => claim(store, stageKey, index)));
      const fences = claims.flatMap((settled) => (settled.status === 'fulfilled' ? [settled.value.fence] : []));
      const codes = claims.flatMap((settled) => (settled.status === 'rejected' ? [settled.reason.code] : []));
      expect(fences.length).toBeGreaterThan(0);
      expect(new Set(fences).size).toBe(fences.length);
      expect(codes.every((code) => code === 'fence-lost')).toBe(true);
      expect((await head())?.fence).toBe(Math.max(...fences));
    });
  });

  describe('saves', () => {
    it('restores what was saved, bit for bit, across packs, with empty and frozen arrays', async () => {
      const writer = await claim(store, stageKey);
      const saved = new Map([
        ['large', noise(packBytes + 12_345, 1)],
        ['empty', new Uint8Array()],
        ['small', noise(3, 2)],
      ]);
      const frozen = new Map([['base', noise(5_000, 3)]]);
      await writer.save({ step: 5, state: { cursor: 17, text: 'ü' }, arrays: saved, frozen }).durable;
      await writer.save({ step: 6, state: { cursor: 18 }, arrays: saved, frozen }).durable;
      const restored = await (await claim(store, stageKey, 2)).restore();
      expect(restored).toMatchObject({ step: 6, state: { cursor: 18 }, damaged: [] });
      for (const [name, bytes] of [...saved, ...frozen])
        expect(Buffer.compare(restored?.arrays.get(name) ?? Buffer.from('absent'), bytes)).toBe(0);
      expect(restored?.arrays.size).toBe(4);
    });

    it('returns after the copy: what the caller changes afterwards is not saved', async () => {
      const writer = await claim(store, stageKey);
      const weights = noise(100_000, 4);
      const expected = weights.slice();
      const { durable } = writer.save({ step: 1, state: null, arrays: new Map([['weights', weights]]) });
      weights.fill(0);
      await durable;
      expect((await writer.restore())?.arrays.get('weights')).toEqual(expected);
    });

    it('copies the state and the references too', async () => {
      const writer = await claim(store, stageKey);
      const state = { cursor: 1 };
      const references = [await writer.putBlob(Buffer.from(`${stageKey} shard`))];
      const { durable } = writer.save({ step: 1, state, references });
      state.cursor = 999;
      references.pop();
      await durable;
      expect(await writer.restore()).toMatchObject({ state: { cursor: 1 }, references: [{ bytes: 70 }] });
    });

    it('refuses what could not be restored before it takes a copy', async () => {
      const writer = await claim(store, stageKey);
      for (const step of [1.5, -1, Number.NaN, 2 ** 60])
        expect(() => writer.save({ step, state: null })).toThrow(
          expect.objectContaining({ code: 'checkpoint-out-of-order' }),
        );
      expect(() =>
        writer.save({ step: 1, state: { losses: Object.assign<number[], object>([], { length: 3 }) } }),
      ).toThrow(expect.objectContaining({ code: 'record-invalid' }));
      await save(writer, 1);
      expect((await writer.restore())?.step).toBe(1);
    });

    it('commits in order; a newer save replaces the one that waits', async () => {
      const writer = await claim(store, stageKey);
      const tickets = [1, 2, 3].map((step) => writer.save({ step, state: { step }, arrays: arrays(step) }));
      expect(await Promise.all(tickets.map(({ durable }) => durable))).toEqual(['saved', 'superseded', 'saved']);
      expect((await head())?.manifest?.step).toBe(3);
      expect((await head())?.previous?.step).toBe(1);
    });

    it('refuses a step that is not later than the one before', async () => {
      const writer = await claim(store, stageKey);
      await save(writer, 2);
      expect(() => writer.save({ step: 2, state: null })).toThrow(
        expect.objectContaining({ code: 'checkpoint-out-of-order' }),
      );
    });

    it('uploads nothing again that the head keeps alive, and everything else once more', async () => {
      const writer = await claim(store, stageKey);
      const same = new Map([['weights', noise(50_000, 9)]]);
      await writer.save({ step: 1, state: null, arrays: same }).durable;
      const [blob] = (await manifestAt(store, stageKey, 0)).groups[0]?.packs ?? [];
      if (!blob) throw new Error('expected a pack');
      const key = blobKey(blob.digest);
      const first = await store.describe(key);
      await writer.save({ step: 2, state: null, arrays: same }).durable;
      expect(await store.describe(key)).toEqual(first);
      const successor = await claim(store, stageKey, 2); // has restored nothing: trusts nothing
      await store.remove(key);
      await successor.save({ step: 3, state: null, arrays: same }).durable;
      expect(await store.describe(key)).toMatchObject({ bytes: first?.bytes });
    });

    it('reads a slice of one array by verified chunks', async () => {
      const writer = await claim(store, stageKey);
      const big = noise(packBytes + 3_000_000, 11);
      await writer.save({
        step: 1,
        state: null,
        arrays: new Map([
          ['a', noise(777, 1)],
          ['big', big],
        ]),
      }).durable;
      const [group] = (await manifestAt(store, stageKey, 0)).groups;
      if (!group) throw new Error('expected a group');
      for (const [start, end] of [
        [0, 10],
        [packBytes - 2_000, packBytes + 2_000],
        [big.length - 5, big.length + 5],
      ] as const)
        expect(Buffer.compare(await readSlice(store, group, 'big', start, end), big.subarray(start, end))).toBe(0);
      for (const [name, start] of [
        ['none', 0],
        ['big', -6],
      ] as const)
        await expect(readSlice(store, group, name, start, 1)).rejects.toMatchObject({ code: 'object-range-invalid' });
    });
  });

  describe('results', () => {
    it('a sealed stage has a result that everybody finds, and cannot be claimed', async () => {
      const writer = await claim(store, stageKey);
      expect(await lookupResult(store, stageKey)).toBeUndefined();
      const result = await writer.seal(await outcome(writer));
      expect(await lookupResult(store, stageKey)).toEqual(result);
      expect(await writer.seal(result.outcome)).toEqual(result);
      await expect(claim(store, stageKey, 2)).rejects.toMatchObject({ code: 'stage-sealed' });
      const dataset = result.outcome.outputs['dataset'];
      if (!dataset) throw new Error('expected an output');
      const { parts } = await readArtifact(store, dataset);
      expect(dataset).toMatchObject({ kind: 'dataset', bytes: 4, rows: 1 });
      expect(Buffer.from(await readBlob(store, parts[0]!)).toString()).toBe('rows');
    });

    it('a result lost between seal and record is copied from the seal by whoever comes', async () => {
      const writer = await claim(store, stageKey);
      const result = await writer.seal(await outcome(writer));
      await store.remove(resultKey(stageKey));
      expect(await lookupResult(store, stageKey)).toEqual(result);
      expect(await store.describe(resultKey(stageKey))).toBeDefined();
    });

    it('a result whose artifact is gone is a miss, and running again heals it', async () => {
      const writer = await claim(store, stageKey);
      const result = await writer.seal(await outcome(writer));
      const dataset = result.outcome.outputs['dataset'];
      const [part] = dataset ? (await readArtifact(store, dataset)).parts : [];
      await store.remove(blobKey(part!.digest));
      expect(await lookupResult(store, stageKey)).toBeUndefined();
      const again = await claim(store, stageKey, 2);
      expect(await again.restore()).toBeUndefined();
      await again.seal(await outcome(again));
      expect((await lookupResult(store, stageKey))?.outcome).toEqual(result.outcome);
    });

    it.each([
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ])(
      'other facts under the same key fail a stage whose executions are both reproducible, and lose the race otherwise: %s, %s',
      async (first, then) => {
        const writer = await claim(store, stageKey);
        const recorded = await writer.seal(await outcome(writer, 'rows', first));
        await store.remove(headKey(stageKey)); // as if two writers had sealed: the record decides
        for (const key of await keysOf(store, manifestPrefix(stageKey))) await store.remove(key);
        const second = await claim(store, stageKey, 2);
        const sealing = second.seal(await outcome(second, 'other rows', then));
        if (first && then) await expect(sealing).rejects.toMatchObject({ code: 'nondeterministic-stage' });
        else expect(await sealing).toEqual(recorded);
      },
    );
  });

  it('collection of a store in use is a dry run unless told otherwise', async () => {
    const writer = await claim(store, stageKey);
    for (const step of [1, 2, 3, 4]) await save(writer, step);
    const before = await keysOf(store);
    const report = await collect(store, { graceMs: 0 });
    expect(report).toMatchObject({ dryRun: true });
    expect(report.removed.bytes).toBeGreaterThan(400_000);
    expect(await keysOf(store)).toEqual(before);
  });
}

async function manifestAt(store: ObjectStore, stageKey: string, index: number) {
  const [key] = (await keysOf(store, manifestPrefix(stageKey))).slice(index);
  const read = key === undefined ? undefined : await readRecord(store, manifestKind, key);
  if (!read) throw new Error(`expected a manifest at ${index}`);
  return read.value;
}
