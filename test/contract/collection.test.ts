/** What collection keeps, what it takes and in which order, and when it does not begin at all. */
import { randomUUID } from 'node:crypto';
import {
  addRunStages,
  closeRun,
  collect,
  digestOf,
  hasArtifact,
  lookupResult,
  openRun,
  promote,
  putPreimage,
  readAlias,
  readPreimage,
  stageKeyOf as keyOfPreimage,
  type CollectionReport,
  type ObjectStore,
  type StageOutcome,
  type StageWriter,
} from '../../storage/index.js';
import { headKey, manifestPrefix, prefixes, removedKey, resultKey } from '../../storage/layout.js';
import { withClock, type Clock } from '../support/clocked-store.js';
import { reachableKeys } from '../support/reachability.js';
import { bytesOf, claim, keysOf, newRun, noise, outcomeOf, stageKeyOf } from '../support/stage.js';
import { openPlace, placeKinds, type StorePlace } from '../support/store-place.js';

const dayMs = 24 * 60 * 60 * 1000;
const really = { dryRun: false } as const;
const everything = { ...really, graceMs: 0, closedRuns: 0 } as const;

describe.each(placeKinds)('collection in %s', (kind) => {
  let place: StorePlace;
  let store: ObjectStore;
  let clock: Clock;
  let stageKey: string;
  beforeAll(async () => {
    place = await openPlace(kind);
  });
  afterAll(() => place.close());
  beforeEach(async () => {
    clock = { nowMs: 10 * dayMs };
    store = withClock(await place.openFresh(), clock);
    stageKey = stageKeyOf(randomUUID());
  });
  afterEach(() => store.close());

  const save = (writer: StageWriter, step: number) =>
    writer.save({ step, state: { step }, arrays: new Map([['weights', noise(5_000, step)]]) }).durable;
  const steps = async (count: number): Promise<StageWriter> => {
    const writer = await claim(store, stageKey);
    for (let step = 1; step <= count; step += 1) await save(writer, step);
    return writer;
  };
  const finished = async (content: string, key = stageKey): Promise<StageOutcome> => {
    const writer = await claim(store, key);
    await save(writer, 1);
    return (await writer.seal(await outcomeOf(writer, content))).outcome;
  };
  const isThere = async ({ outputs }: StageOutcome): Promise<boolean> => {
    for (const artifact of Object.values(outputs)) if (!(await hasArtifact(store, artifact))) return false;
    return true;
  };
  const run = async (id: string, key = stageKey): Promise<void> => {
    await openRun(store, newRun(id));
    await addRunStages(store, id, { import: key });
  };
  const tally = ({ removed, removedBy, removedKeys }: CollectionReport) => ({ removed, removedBy, removedKeys });

  it('a dry run deletes nothing and reports what a real run then removes, to the byte', async () => {
    await steps(5);
    await finished('rows', stageKeyOf('another'));
    const before = await keysOf(store);
    const sizes = new Map(
      await Promise.all(before.map(async (key) => [key, (await bytesOf(store, key)).length] as const)),
    );
    const dry = await collect(store, { graceMs: 0 });
    expect(await keysOf(store)).toEqual(before);
    const real = await collect(store, { ...really, graceMs: 0 });
    const after = new Set(await keysOf(store));
    const gone = before.filter((key) => !after.has(key));
    expect(tally(real)).toEqual(tally(dry));
    expect(real.removedKeys).toEqual(gone);
    expect(real.removed).toEqual({
      objects: gone.length,
      bytes: gone.reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0),
    });
    expect(gone.length).toBeGreaterThan(8);
    expect([...after].sort()).toEqual(await reachableKeys(store));
  });

  it('a stage under way keeps its last two checkpoints, whole, and nothing before them', async () => {
    await steps(5);
    await collect(store, everything);
    expect((await keysOf(store, manifestPrefix(stageKey))).length).toBe(2);
    expect((await keysOf(store, prefixes.blobs)).length).toBe(2);
    const writer = await claim(store, stageKey, 2);
    expect(await writer.restore()).toMatchObject({ step: 5, damaged: [] });
    await store.remove((await keysOf(store, manifestPrefix(stageKey))).at(-1) ?? '');
    expect(await writer.restore()).toMatchObject({ step: 4 });
  });

  it('what is younger than the grace stays, whatever it is', async () => {
    await steps(5);
    await finished('rows', stageKeyOf('another'));
    clock.nowMs += dayMs - 1;
    expect((await collect(store, { ...really, closedRuns: 0 })).removed).toEqual({ objects: 0, bytes: 0 });
    clock.nowMs += 60_000;
    expect((await collect(store, { ...really, closedRuns: 0 })).removed.objects).toBeGreaterThan(5);
  });

  it('a result goes first; what it names follows one grace later, and then its tombstone', async () => {
    const outcome = await finished('rows');
    clock.nowMs += 2 * dayMs;
    expect((await collect(store, really)).removedKeys).toContain(resultKey(stageKey));
    expect(await isThere(outcome)).toBe(true);
    expect(await keysOf(store, prefixes.removed)).toEqual([removedKey(stageKey)]);
    clock.nowMs += dayMs / 2;
    expect((await collect(store, really)).removed.objects).toBe(0);
    clock.nowMs += dayMs;
    await collect(store, really);
    expect(await keysOf(store, prefixes.blobs)).toEqual([]);
    expect(await keysOf(store)).toEqual([headKey(stageKey)]);
  });

  it('a stage whose result was collected is a miss, can be run again, and is no obstacle while it does', async () => {
    const outcome = await finished('rows');
    await collect(store, everything);
    expect(await isThere(outcome)).toBe(false);
    expect(await lookupResult(store, stageKey)).toBeUndefined();
    const again = await claim(store, stageKey, 2);
    expect(await again.restore()).toBeUndefined();
    await collect(store, everything);
    await save(again, 1);
    await collect(store, everything);
    expect((await (await claim(store, stageKey, 3)).restore())?.step).toBe(1);
    expect((await finished('rows')).outputs).toEqual(outcome.outputs);
    expect((await lookupResult(store, stageKey))?.outcome.outputs).toEqual(outcome.outputs);
  });

  it('an open run keeps the results of its stages; so do the last closed ones, and no others', async () => {
    const outcomes = new Map<string, StageOutcome>();
    for (const id of ['oldest', 'older', 'newer', 'open']) {
      const key = stageKeyOf(`${stageKey} ${id}`);
      await run(id, key);
      outcomes.set(id, await finished(id, key));
      clock.nowMs += 1000;
      if (id !== 'open') await closeRun(store, id, null);
    }
    clock.nowMs += 100 * dayMs;
    const kept = async (): Promise<string[]> => {
      const ids: string[] = [];
      for (const [id, outcome] of outcomes) if (await isThere(outcome)) ids.push(id);
      return ids;
    };
    await collect(store, { ...really, graceMs: 0, closedRuns: 2 });
    expect(await kept()).toEqual(['older', 'newer', 'open']);
    await collect(store, everything);
    expect(await kept()).toEqual(['open']);
    await closeRun(store, 'open', null);
    await collect(store, everything);
    expect(await kept()).toEqual([]);
    expect((await keysOf(store, prefixes.runs)).length).toBe(4);
  });

  it('an alias keeps its model and those that served before', async () => {
    const outcomes: StageOutcome[] = [];
    for (const night of [1, 2, 3]) {
      const outcome = await finished(`night ${night}`, stageKeyOf(`${stageKey} ${night}`));
      const model = outcome.outputs['dataset'];
      if (!model) throw new Error('expected an output');
      const alias = await readAlias(store, 'student', 'champion');
      const expected = alias ? { counter: alias.counter, digest: alias.current.model.digest } : null;
      const operationId = `promotion ${night}`;
      await promote(store, { name: 'student', alias: 'champion', expected, model, reason: 'better', operationId });
      outcomes.push(outcome);
    }
    outcomes.push(await finished('never promoted'));
    await collect(store, everything);
    expect(await Promise.all(outcomes.map(isThere))).toEqual([true, true, true, false]);
    expect(await keysOf(store)).toEqual(await reachableKeys(store));
  });

  it('runs that keep their results keep what explains them: their preimages, and those of the runs before', async () => {
    const keys: string[] = [];
    for (const temperature of [1, 2, 3]) {
      const preimage = { kind: 'distill', options: { temperature } };
      await putPreimage(store, preimage);
      keys.push(keyOfPreimage(preimage));
      const id = `night ${temperature}`;
      await openRun(store, newRun(id, digestOf(id), 'nightly'));
      await addRunStages(store, id, { distill: keys.at(-1) ?? '' });
      clock.nowMs += 1000;
    }
    const known = async (): Promise<boolean[]> =>
      Promise.all(keys.map(async (key) => (await readPreimage(store, key)) !== undefined));
    for (const night of [1, 2]) await closeRun(store, `night ${night}`, null);
    await collect(store, everything);
    expect(await known()).toEqual([false, true, true]);
    await closeRun(store, 'night 3', null);
    await collect(store, everything);
    expect(await known()).toEqual([false, false, false]);
  });

  it('heads, run records, plans and aliases are never removed', async () => {
    await finished('rows');
    await run('closed');
    await closeRun(store, 'closed', null);
    const roots = [headKey(stageKey), `${prefixes.plans}closed.json`, `${prefixes.runs}closed.json`];
    clock.nowMs += 1000 * dayMs;
    await collect(store, everything);
    expect(await keysOf(store)).toEqual(roots);
  });

  it('a stage whose head is lost keeps what the next claim rebuilds it from', async () => {
    await steps(4);
    await store.remove(headKey(stageKey));
    await collect(store, everything);
    expect(await (await claim(store, stageKey, 2)).restore()).toMatchObject({ step: 4, damaged: [] });
  });

  it('what was put aside, and what an interrupted collection left, goes one grace later', async () => {
    await store.put(`${prefixes.quarantine}blobs/x/1`, Buffer.from('damaged'));
    await store.put(`${prefixes.clocks}interrupted`, new Uint8Array());
    clock.nowMs += dayMs / 2;
    expect((await collect(store, really)).removed.objects).toBe(0);
    clock.nowMs += dayMs;
    await collect(store, really);
    expect(await keysOf(store)).toEqual([]);
  });

  it('two collections at the same time remove the same, and neither fails', async () => {
    await steps(5);
    await finished('rows', stageKeyOf('another'));
    clock.nowMs += 2 * dayMs;
    const reports = await Promise.all([1, 2, 3].map(() => collect(store, really)));
    const taken = new Set(reports.flatMap(({ removedKeys }) => removedKeys));
    expect(taken.size).toBeGreaterThan(5);
    expect((await collect(store, { ...really })).removed.objects).toBe(0);
  });
});
