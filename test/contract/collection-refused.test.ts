/** What collection does not understand, or cannot see whole, it does not judge: then nothing at all is deleted. */
import { NightstillError } from '../../config/errors.js';
import { addRunStages, collect, digestOf, openRun, promote, type ObjectStore } from '../../storage/index.js';
import { headKind } from '../../storage/head.js';
import { aliasKey, headKey, manifestPrefix, prefixes, resultKey, runKey } from '../../storage/layout.js';
import { encodeRecord, jsonSchema, readRecord } from '../../storage/record.js';
import { S3Store } from '../../storage/s3.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { intercept } from '../support/intercepted-store.js';
import { S3Server } from '../support/s3-server.js';
import { bytesOf, claim, keysOf, newRun, noise, outcomeOf, stageKeyOf } from '../support/stage.js';
import { openPlace, placeKinds, type StorePlace } from '../support/store-place.js';

const everything = { dryRun: false, graceMs: 0, closedRuns: 0 } as const;
const working = stageKeyOf('a stage under way');
const finished = stageKeyOf('a finished stage');

/** A store with something of every kind, most of it to be collected. */
async function fill(store: ObjectStore): Promise<void> {
  const writer = await claim(store, working);
  for (const step of [1, 2, 3, 4])
    await writer.save({ step, state: null, arrays: new Map([['weights', noise(2_000, step)]]) }).durable;
  await openRun(store, newRun('night'));
  await addRunStages(store, 'night', { import: stageKeyOf('a stage of the run') });
  const other = await claim(store, finished);
  const { outcome } = await other.seal(await outcomeOf(other));
  const model = outcome.outputs['dataset'];
  if (!model) throw new Error('expected an output');
  const move = { name: 'student', alias: 'champion', expected: null, reason: 'first', operationId: 'first' };
  await promote(store, { ...move, model });
}

async function expectRefused(store: ObjectStore, cause: string, direct = store): Promise<void> {
  const before = await keysOf(direct);
  await expect(collect(store, everything)).rejects.toMatchObject({
    code: 'collection-refused',
    cause: { code: cause },
  });
  // Its own empty clock may stay behind when the store fails; it goes with the next collection.
  const after = (await keysOf(direct)).filter((key) => !key.startsWith(prefixes.clocks));
  expect(after).toEqual(before);
}

describe.each(placeKinds)('collection in %s is refused and deletes nothing', (kind) => {
  let place: StorePlace;
  let store: ObjectStore;
  beforeAll(async () => {
    place = await openPlace(kind);
  });
  afterAll(() => place.close());
  beforeEach(async () => {
    store = await place.openFresh();
    await fill(store);
  });
  afterEach(async () => {
    await store.close();
  });

  const newest = async (): Promise<string> => (await keysOf(store, manifestPrefix(working))).at(-1) ?? '';
  const oldest = async (): Promise<string> => (await keysOf(store, manifestPrefix(working)))[0] ?? '';
  const fromTheFuture = async (key: string): Promise<void> => {
    const { check: _, kind: name, ...content } = JSON.parse(String(await bytesOf(store, key)));
    await store.put(key, encodeRecord({ kind: name, version: 99, schema: jsonSchema }, content));
  };
  const flip = async (key: string): Promise<void> => {
    const bytes = await bytesOf(store, key);
    bytes[50] = (bytes[50] ?? 0) ^ 1;
    await store.put(key, bytes);
  };
  const roots = {
    head: headKey(working),
    run: runKey('night'),
    alias: aliasKey('student', 'champion'),
    result: resultKey(finished),
  };
  const everyRoot = Object.entries(roots);

  it.each(everyRoot)('by a newer version of the record of a %s', async (_, key) => {
    await fromTheFuture(key);
    await expectRefused(store, 'record-version-unknown');
  });

  it('by a reachable manifest of a newer version', async () => {
    await fromTheFuture(await newest());
    const head = await readRecord(store, headKind, headKey(working));
    const read = await bytesOf(store, await newest());
    const manifest = head?.value.manifest && { ...head.value.manifest, digest: digestOf(read) };
    if (!head || !manifest) throw new Error('expected a head');
    await store.put(headKey(working), encodeRecord(headKind, { ...head.value, manifest }));
    await expectRefused(store, 'record-version-unknown');
  });

  it('by an unreachable manifest of a newer version, old or young', async () => {
    await fromTheFuture(await oldest());
    await expectRefused(store, 'record-version-unknown');
    const young = { ...everything, graceMs: 3_600_000 };
    await expect(collect(store, young)).rejects.toMatchObject({ code: 'collection-refused' });
  });

  it.each(everyRoot)('by damage to the record of a %s', async (_, key) => {
    await flip(key);
    await expectRefused(store, 'record-invalid');
  });

  it('by a damaged manifest that is reachable; an unreachable one has nothing to say', async () => {
    await flip(await oldest());
    expect((await collect(store, everything)).removedKeys).toContain(`${manifestPrefix(working)}${first}`);
    await flip(await newest());
    await expectRefused(store, 'record-invalid');
  });
  const first = '000000000001-0000000001.json';

  it('by a listing that breaks off, whichever it is and wherever', async () => {
    let listings = 0;
    await collect(intercept(store, { before: ({ operation }) => void (listings += operation === 'list' ? 1 : 0) }), {
      ...everything,
      dryRun: true,
    });
    expect(listings).toBeGreaterThan(10);
    for (let index = 1; index <= listings; index += 1)
      for (const end of ['before', 'after'] as const) {
        let listing = 0;
        const broken = intercept(store, {
          [end]: ({ operation }: { operation: string }) => {
            listing += operation === 'list' ? 1 : 0;
            if (operation === 'list' && listing === index) throw new NightstillError('store-unavailable', 'broken off');
          },
        });
        await expectRefused(broken, 'store-unavailable', store);
      }
  });
});

describe('collection in an S3 server', () => {
  it('is refused and deletes nothing when the second page of a listing stays away', async () => {
    const server = await S3Server.start();
    const proxy = await FaultProxy.start(server.endpoint);
    const location = { bucket: server.bucket, prefix: 'pages', region: 'us-east-1', forcePathStyle: true };
    const direct = new S3Store({ ...location, endpoint: server.endpoint });
    const store = new S3Store({ ...location, endpoint: proxy.endpoint }, { attempts: 3, backoffMs: 10 });
    try {
      await fill(direct);
      const digests = Array.from({ length: 1_100 }, (_, index) => digestOf(`blob ${index}`).replace('sha256:', ''));
      for (let start = 0; start < digests.length; start += 50)
        await Promise.all(
          digests.slice(start, start + 50).map((hex) => direct.put(`${prefixes.blobs}${hex}`, Buffer.from(hex))),
        );
      proxy.plan({ fault: 'slow-down', path: /continuation-token=/ });
      await expectRefused(store, 'store-unavailable', direct);
      expect(proxy.injected['slow-down']).toBeGreaterThan(0);
      proxy.plan();
      expect((await collect(store, everything)).removedBy.blobs.objects).toBeGreaterThanOrEqual(1_100);
    } finally {
      await store.close();
      await direct.close();
      await proxy.stop();
      await server.stop();
    }
  });
});
