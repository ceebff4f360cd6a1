/** What may happen between two operations of the protocol, forced to happen there. */
import { NightstillError } from '../../config/errors.js';
import { lookupResult, type ObjectStore, type StageOutcome, type StageWriter } from '../../storage/index.js';
import { indexBlobOf } from '../../storage/artifacts.js';
import { headKind } from '../../storage/head.js';
import { blobKey, headKey, manifestPrefix, prefixes } from '../../storage/layout.js';
import { manifestKind } from '../../storage/manifest.js';
import { readRecord } from '../../storage/record.js';
import { publishResult } from '../../storage/results.js';
import { intercept, isWrite, type StoreCall } from '../support/intercepted-store.js';
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
  stageKey = stageKeyOf(`races ${stages}`);
});

const weights = (step: number) => new Map([['weights', noise(20_000, stages * 100 + step)]]);
const save = (writer: StageWriter, step: number) =>
  writer.save({ step, state: { step }, arrays: weights(step) }).durable;
const head = async () => (await readRecord(store, headKind, headKey(stageKey)))?.value;
const lostAnswer = (): never => {
  throw new NightstillError('store-unavailable', 'expected an answer, found a reset connection');
};
/** The first call that fits runs `act`, no other does. */
const once = (fits: (call: StoreCall) => boolean, act: (call: StoreCall) => Promise<void> | void) => {
  let over = false;
  return async (call: StoreCall): Promise<void> => {
    if (over || !fits(call)) return;
    over = true;
    await act(call);
  };
};
const writesHead = (call: StoreCall): boolean => call.operation === 'putIfMatch' && call.key === headKey(stageKey);

describe('a writer', () => {
  it('whose move was answered only after the claim of a successor writes nothing under the fence of the successor', async () => {
    let successor: StageWriter | undefined;
    const answerLost = intercept(store, {
      after: once(writesHead, async () => {
        successor = await claim(store, stageKey, 2);
        lostAnswer();
      }),
    });
    const writer = await claim(answerLost, stageKey);
    expect(await save(writer, 1)).toBe('saved');
    expect((await successor?.restore())?.step).toBe(1);
    await expect(Promise.resolve().then(() => save(writer, 2))).rejects.toMatchObject({ code: 'fence-lost' });
    expect((await keysOf(store, manifestPrefix(stageKey))).map((key) => key.split('-')[1])).toEqual([
      '0000000001.json',
    ]);
    expect(successor && (await save(successor, 2))).toBe('saved');
  });

  it('that a collection overtook before it moved the head writes again what is gone, and only then acknowledges', async () => {
    const collected = intercept(store, {
      before: once(writesHead, async () => {
        for (const key of [
          ...(await keysOf(store, manifestPrefix(stageKey))),
          ...(await keysOf(store, prefixes.blobs)),
        ])
          await store.remove(key);
      }),
    });
    expect(await save(await claim(collected, stageKey), 1)).toBe('saved');
    const restored = await (await claim(store, stageKey, 2)).restore();
    expect(restored).toMatchObject({ step: 1, damaged: [] });
  });

  it('that does not know how its last save ended trusts nothing and uploads everything again', async () => {
    let moves = 0;
    const failing = intercept(store, {
      after: (call) => {
        if (writesHead(call)) moves += 1;
      },
      before: once(
        (call) => moves === 2 && call.operation === 'describe',
        () => lostAnswer(),
      ),
    });
    const writer = await claim(failing, stageKey);
    await save(writer, 1);
    const [blob = ''] = await newestBlobs();
    await expect(save(writer, 2)).rejects.toMatchObject({ code: 'store-unavailable' });
    await store.remove(blob);
    await writer.save({ step: 3, state: { step: 3 }, arrays: weights(1) }).durable;
    const restored = await (await claim(store, stageKey, 2)).restore();
    expect(restored).toMatchObject({ step: 3, damaged: [] });
  });

  it('that has sealed its stage can save nothing more', async () => {
    const writer = await claim(store, stageKey);
    await save(writer, 1);
    await writer.seal(await outcomeOf(writer));
    await expect(save(writer, 9)).rejects.toMatchObject({ code: 'stage-sealed' });
    expect(await head()).toMatchObject({ sealed: true });
  });

  it('seals nothing that names what is no longer there', async () => {
    const writer = await claim(store, stageKey);
    const outcome = await outcomeOf(writer, 'rows that nobody names for longer than a grace');
    const [dataset] = Object.values(outcome.outputs);
    if (dataset) await store.remove(blobKey(indexBlobOf(dataset).digest));
    await expect(writer.seal(outcome)).rejects.toMatchObject({ code: 'object-missing' });
    expect(await head()).toMatchObject({ sealed: false, manifest: null });
  });

  it('seals twice with one result, when the answer to the first seal was lost', async () => {
    let sealing = false;
    const answerLost = intercept(store, {
      before: once(
        (call) => sealing && isWrite(call) && call.key.startsWith(prefixes.results),
        () => lostAnswer(),
      ),
      after: once(
        (call) => sealing && writesHead(call),
        () => {
          throw new NightstillError('unexpected', 'the connection broke');
        },
      ),
    });
    const writer = await claim(answerLost, stageKey);
    await save(writer, 1);
    const outcome = await outcomeOf(writer);
    sealing = true;
    await expect(writer.seal(outcome)).rejects.toMatchObject({ code: 'unexpected' });
    expect((await writer.seal(outcome)).outcome).toEqual(outcome);
    expect(await head()).toMatchObject({ sealed: true, previous: { step: 1 } });
  });

  const newestBlobs = async () => {
    const key = (await keysOf(store, manifestPrefix(stageKey))).at(-1) ?? '';
    const groups = (await readRecord(store, manifestKind, key))?.value.groups ?? [];
    return groups.flatMap(({ packs }) => packs.map(({ digest }) => blobKey(digest)));
  };
});

describe('results', () => {
  it('of a stage that ran again are found by its seal, when the record still names what is gone', async () => {
    const first = await claim(store, stageKey);
    const lost = await first.seal(await outcomeOf(first, 'rows of the first night', false));
    await removeParts(lost);
    const second = await claim(store, stageKey, 2);
    const outcome = await outcomeOf(second, 'rows of the second night', false);
    await sealOnly(second, outcome);
    expect((await lookupResult(store, stageKey))?.outcome).toEqual(outcome);
    await expect(claim(store, stageKey, 3)).rejects.toMatchObject({ code: 'stage-sealed' });
  });

  it('that a second process has replaced in the meantime are not replaced again', async () => {
    const first = await claim(store, stageKey);
    await removeParts(await first.seal(await outcomeOf(first, 'lost', false)));
    const second = await claim(store, stageKey, 2);
    const faster = { stageKey, fence: 2, outcome: await outcomeOf(second, 'faster', false) };
    const slower = { stageKey, fence: 2, outcome: await outcomeOf(second, 'slower', false) };
    const overtaken = intercept(store, {
      before: once(
        ({ operation, key }) => ['remove', 'putIfMatch'].includes(operation) && key.startsWith(prefixes.results),
        async () => void (await publishResult(store, faster)),
      ),
    });
    expect(await publishResult(overtaken, slower)).toEqual(faster);
    expect(await lookupResult(store, stageKey)).toEqual(faster);
  });

  /** As a process that is killed between its seal and its record. */
  const sealOnly = async (writer: StageWriter, outcome: StageOutcome): Promise<void> => {
    const key = `results/${stageKey}.json`;
    const record = await bytesOf(store, key);
    await writer.seal(outcome);
    await store.put(key, record);
  };
  const removeParts = async ({ outcome }: { outcome: StageOutcome }): Promise<void> => {
    for (const artifact of Object.values(outcome.outputs)) await store.remove(blobKey(indexBlobOf(artifact).digest));
  };
});
