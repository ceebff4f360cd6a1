/** Any one object flipped, truncated or deleted: detected, named, survived, healed. */
import { lookupResult, readArtifact, readBlob, type ObjectStore, type StageWriter } from '../../storage/index.js';
import { blobKey, headKey, manifestPrefix, prefixes, resultKey } from '../../storage/layout.js';
import { bytesOf, claim, keysOf, noise, stageKeyOf } from '../support/stage.js';

const damages = {
  flipped: (bytes: Buffer) => {
    const flipped = Buffer.from(bytes);
    const middle = Math.floor(bytes.length / 2);
    flipped[middle] = (flipped[middle] ?? 0) ^ 4;
    return flipped;
  },
  truncated: (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2)),
  deleted: () => undefined,
} satisfies Record<string, (bytes: Buffer) => Buffer | undefined>;

export function corruption(open: () => Promise<ObjectStore>): void {
  let store: ObjectStore;
  let seed = 0;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(async () => {
    await store.close();
  });

  /** Two steps of a stage of its own, with what it wrote. */
  const twoSteps = async (): Promise<{ stageKey: string; written: string[] }> => {
    seed += 1;
    const stageKey = stageKeyOf(`${store.url} corruption ${seed} ${Date.now()}`);
    const before = new Set(await keysOf(store));
    const writer = await claim(store, stageKey);
    for (const step of [1, 2]) await save(writer, step);
    return { stageKey, written: (await keysOf(store)).filter((key) => !before.has(key)) };
  };
  const weights = (step: number) => noise(30_000, seed * 100 + step);
  const save = (writer: StageWriter, step: number) =>
    writer.save({ step, state: { step }, arrays: new Map([['weights', weights(step)]]) }).durable;
  const damage = async (key: string, how: keyof typeof damages): Promise<void> => {
    const damaged = damages[how](await bytesOf(store, key));
    if (damaged) await store.put(key, damaged);
    else await store.remove(key);
  };
  const expectStep = async (writer: StageWriter, steps: readonly number[], damaged: readonly string[]) => {
    const restored = await writer.restore();
    expect(steps).toContain(restored?.step);
    expect(restored?.state).toEqual({ step: restored?.step });
    expect(restored?.arrays.get('weights')).toEqual(weights(restored?.step ?? 0));
    expect(restored?.damaged.filter((key) => !damaged.includes(key))).toEqual([]);
    return restored;
  };

  describe.each(Object.keys(damages) as (keyof typeof damages)[])('an object of a checkpoint %s', (how) => {
    it('is detected and named, the parent is used, and saving the step again heals the store', async () => {
      const objects = (await twoSteps()).written.length;
      expect(objects).toBe(5); // a head, two manifests, two packs
      for (let index = 0; index < objects; index += 1) {
        const { stageKey, written } = await twoSteps();
        const key = written[index] ?? '';
        await damage(key, how);
        const writer = await claim(store, stageKey, 2);
        const restored = await expectStep(writer, [1, 2], [key]);
        if (restored?.step === 1) {
          expect(restored.damaged).toEqual([key]);
          expect(await store.describe(key)).toBeUndefined();
          expect((await keysOf(store, `${prefixes.quarantine}${key}`)).length).toBe(how === 'deleted' ? 0 : 1);
          await save(writer, 2);
        }
        await expectStep(await claim(store, stageKey, 3), [2], []);
      }
    });
  });

  it('a damaged blob that a checkpoint refers to is found by restore, not by its readers', async () => {
    const { stageKey } = await twoSteps();
    const writer = await claim(store, stageKey, 2);
    await writer.restore();
    const shard = await writer.putBlob(noise(5_000, seed));
    await writer.save({ step: 3, state: { step: 3 }, references: [shard] }).durable;
    await damage(blobKey(shard.digest), 'flipped');
    await expectStep(await claim(store, stageKey, 3), [2], [blobKey(shard.digest)]);
  });

  it('a checkpoint saved after a fallback follows the one that was restored, not the damaged one', async () => {
    const { stageKey } = await twoSteps();
    const newest = (await keysOf(store, manifestPrefix(stageKey))).at(-1) ?? '';
    await damage(newest, 'flipped');
    const writer = await claim(store, stageKey, 2);
    await expectStep(writer, [1], [newest]);
    await save(writer, 2);
    const saved = (await keysOf(store, manifestPrefix(stageKey))).at(-1) ?? '';
    await damage(saved, 'deleted');
    await expectStep(await claim(store, stageKey, 3), [1], [saved]);
  });

  it('both checkpoints of a head damaged leave nothing to restore, and the stage begins anew', async () => {
    const { stageKey, written } = await twoSteps();
    for (const key of written.filter((name) => name.startsWith(prefixes.blobs))) await damage(key, 'flipped');
    const writer = await claim(store, stageKey, 2);
    expect(await writer.restore()).toBeUndefined();
    await save(writer, 1);
    await expectStep(await claim(store, stageKey, 3), [1], []);
  });

  describe.each(Object.keys(damages) as (keyof typeof damages)[])('an object of a result %s', (how) => {
    it('never gives a wrong result: it is copied again, or the stage runs again and heals it', async () => {
      const finish = async (stageKey: string, attempt: number): Promise<void> => {
        const writer = await claim(store, stageKey, attempt);
        await writer.restore();
        const part = { ...(await writer.putBlob(new Uint8Array(weights(9)))), rows: 3 };
        const rows = await writer.putArtifact({ kind: 'dataset', parts: [part], meta: { seed } });
        await writer.seal({ preimage: {}, outputs: { rows }, facts: {}, observations: {}, reproducible: true });
      };
      const read = async (stageKey: string): Promise<string> => {
        const artifact = (await lookupResult(store, stageKey))?.outcome.outputs['rows'];
        if (!artifact) return 'miss';
        const { parts } = await readArtifact(store, artifact);
        return Buffer.from(await readBlob(store, parts[0]!)).toString('hex');
      };
      for (let index = 0; index < 5; index += 1) {
        seed += 1;
        const stageKey = stageKeyOf(`${store.url} result ${seed} ${Date.now()}`);
        const before = new Set(await keysOf(store));
        await finish(stageKey, 1);
        const written = (await keysOf(store)).filter((key) => !before.has(key));
        expect(written).toEqual(expect.arrayContaining([headKey(stageKey), resultKey(stageKey)]));
        expect(written.filter((key) => key.startsWith(manifestPrefix(stageKey)))).toHaveLength(1);
        expect(written).toHaveLength(5); // and an index and a part
        const expected = await read(stageKey);
        const key = written[index] ?? '';
        await damage(key, how);
        const found = await read(stageKey).catch((error: { code: string; details: { key: string } }) => error);
        if (typeof found === 'object') {
          expect(found).toMatchObject({ code: 'object-damaged', details: { key } });
          await store.remove(key); // what a claimed reader does with a damaged input
        }
        if (found !== expected) await finish(stageKey, 2);
        expect(await read(stageKey)).toBe(expected);
      }
    });
  });
}
