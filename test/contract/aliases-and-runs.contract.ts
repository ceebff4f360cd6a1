/** Aliases and run records, as any store must carry them. */
import { randomUUID } from 'node:crypto';
import {
  addRunStages,
  closeRun,
  digestOf,
  openRun,
  promote,
  putPreimage,
  readAlias,
  readPlan,
  readPreimage,
  readRun,
  resolveAlias,
  rollback,
  stageKeyOf as keyOfPreimage,
  type Alias,
  type ArtifactRef,
  type ObjectStore,
  type Promotion,
} from '../../storage/index.js';
import { newRun, stageKeyOf } from '../support/stage.js';

export function aliasesAndRuns(open: () => Promise<ObjectStore>): void {
  let store: ObjectStore;
  let name: string;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(async () => {
    await store.close();
  });
  beforeEach(() => {
    name = `support bot/${randomUUID()}`;
  });

  const model = (content: string): ArtifactRef => ({
    kind: 'model',
    digest: digestOf(content),
    uri: `${store.url}/${content}`,
    bytes: 1,
    indexBytes: 1,
  });
  const promotion = (content: string, current?: Alias): Promotion => ({
    name,
    alias: 'champion',
    model: model(content),
    expected: current ? { counter: current.counter, digest: current.current.model.digest } : null,
    reason: `promotes ${content}`,
    operationId: randomUUID(),
  });

  describe('aliases', () => {
    it('move only against what the gate has read', async () => {
      const first = await promote(store, promotion('a'));
      const second = await promote(store, promotion('b', first));
      expect(await resolveAlias(store, name, 'champion')).toEqual(model('b'));
      await expect(promote(store, promotion('c', first))).rejects.toMatchObject({ code: 'champion-moved' });
      await expect(promote(store, promotion('c'))).rejects.toMatchObject({ code: 'champion-moved' });
      expect(await readAlias(store, name, 'champion')).toEqual(second);
    });

    it('of many promotions at once exactly one wins', async () => {
      const current = await promote(store, promotion('a'));
      const contenders = await Promise.allSettled(
        ['b', 'c', 'd', 'e'].map((each) => promote(store, promotion(each, current))),
      );
      expect(contenders.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect((await readAlias(store, name, 'champion'))?.counter).toBe(2);
    });

    it('a promotion repeated after a lost answer is one promotion', async () => {
      const first = await promote(store, promotion('a'));
      const move = promotion('b', first);
      await promote(store, move);
      const again = await promote(store, move);
      expect(again).toMatchObject({ counter: 2, history: [expect.objectContaining({ model: model('a') })] });
    });

    it('roll back to what served before, and refuse what was rolled back until somebody names it', async () => {
      const first = await promote(store, promotion('a'));
      const second = await promote(store, promotion('b', first));
      const { expected } = promotion('b', second);
      const back = await rollback(store, { ...promotion('b', second), expected, operationId: randomUUID() });
      expect(back).toMatchObject({ current: { model: model('a') }, refused: [model('b').digest] });
      await expect(promote(store, promotion('b', back))).rejects.toMatchObject({ code: 'digest-refused' });
      const named = await promote(store, { ...promotion('b', back), evenIfRefused: model('b').digest });
      expect(named).toMatchObject({ current: { model: model('b') }, refused: [] });
    });

    it('a rollback never leads to what serves already, nor to what was rolled back', async () => {
      const first = await promote(store, promotion('a'));
      const again = await promote(store, promotion('a', first));
      expect(again.history).toEqual([]);
      await expect(rollback(store, promotion('a', again))).rejects.toMatchObject({ code: 'alias-missing' });
      const second = await promote(store, promotion('b', again));
      const third = await promote(store, promotion('a', second));
      const back = await rollback(store, promotion('a', third));
      expect(back).toMatchObject({ current: { model: model('b') }, refused: [model('a').digest] });
      await expect(rollback(store, promotion('b', back))).rejects.toMatchObject({ code: 'alias-missing' });
    });

    it('nothing promoted is alias-missing', async () => {
      await expect(resolveAlias(store, name, 'champion')).rejects.toMatchObject({ code: 'alias-missing' });
      const first = await promote(store, promotion('a'));
      await expect(rollback(store, promotion('a', first))).rejects.toMatchObject({ code: 'alias-missing' });
    });
  });

  describe('run records', () => {
    const plan = digestOf('plan');

    it('are opened before the first stage, joined by the same plan, refused to another', async () => {
      await openRun(store, newRun(name, plan));
      expect(await openRun(store, newRun(name, plan))).toMatchObject({ status: 'open', planDigest: plan });
      await expect(openRun(store, newRun(name, digestOf('other')))).rejects.toMatchObject({ code: 'run-conflict' });
    });

    it('name every stage once, also when nodes are added at the same time', async () => {
      await openRun(store, newRun(name, plan));
      const nodes = ['import', 'answer', 'fine-tune', 'distill'];
      await Promise.all(nodes.map((node) => addRunStages(store, name, { [node]: stageKeyOf(node) })));
      const closed = await closeRun(store, name, { completed: true });
      expect(closed).toMatchObject({ status: 'closed', outcome: { completed: true } });
      expect(closed.stages).toEqual(Object.fromEntries(nodes.map((node) => [node, stageKeyOf(node)])));
      expect(await readRun(store, name)).toEqual(closed);
    });

    it('know the run before, and which stages the nodes of the plan had in runs before', async () => {
      const begin = (id: string) => openRun(store, newRun(id, plan, name));
      const [first, second, third] = [1, 2, 3].map((number) => `${name} ${number}`) as [string, string, string];
      expect(await begin(first)).toMatchObject({ plan: name, previous: null, before: {} });
      await addRunStages(store, first, { import: stageKeyOf('a') });
      await addRunStages(store, first, { distill: stageKeyOf('b') });
      expect(await begin(second)).toMatchObject({
        previous: first,
        before: { import: stageKeyOf('a'), distill: stageKeyOf('b') },
      });
      await addRunStages(store, second, { import: stageKeyOf('c') }); // and fails there
      expect(await begin(third)).toMatchObject({
        previous: second,
        before: { import: stageKeyOf('c'), distill: stageKeyOf('b') },
      });
      expect(await readPlan(store, name)).toMatchObject({ run: third, previous: second });
    });

    it('opened again, by a retry or when it failed, a run keeps its stages and the run that it follows', async () => {
      await openRun(store, newRun(`${name} 1`, plan, name));
      await openRun(store, newRun(`${name} 2`, plan, name));
      const { stages } = (await addRunStages(store, `${name} 2`, { import: stageKeyOf('a') })).value;
      for (const outcome of ['open', 'closed']) {
        if (outcome === 'closed') await closeRun(store, `${name} 2`, null);
        const again = await openRun(store, newRun(`${name} 2`, plan, name));
        expect(again).toMatchObject({ previous: `${name} 1`, stages, status: 'open' });
      }
    });

    it('a run that is refused does not become the newest of its plan', async () => {
      await openRun(store, newRun(`${name} 1`, plan, name));
      await openRun(store, newRun(`${name} 2`, plan, name));
      await expect(openRun(store, newRun(`${name} 1`, digestOf('other'), name))).rejects.toMatchObject({
        code: 'run-conflict',
      });
      expect(await readPlan(store, name)).toMatchObject({ run: `${name} 2` });
    });

    it('runs of a plan that are opened at once all become part of one order', async () => {
      const ids = [1, 2, 3, 4, 5].map((number) => `${name} ${number}`);
      const runs = await Promise.all(ids.map((id) => openRun(store, newRun(id, plan, name))));
      expect(new Set(runs.map(({ previous }) => previous)).size).toBe(5);
    });

    it('a stage of a run that was never opened is refused', async () => {
      await expect(addRunStages(store, name, { import: stageKeyOf('x') })).rejects.toMatchObject({
        code: 'object-missing',
      });
    });
  });

  describe('preimages', () => {
    it('are found by the stage key, which is their digest', async () => {
      const preimage = { kind: 'distill', options: { name } };
      await putPreimage(store, preimage);
      expect(await readPreimage(store, keyOfPreimage(preimage))).toEqual(preimage);
      expect(keyOfPreimage({ options: { name }, kind: 'distill' })).toBe(keyOfPreimage(preimage));
    });

    it('that are not there, or damaged, are unknown', async () => {
      const preimage = { kind: 'fine-tune', options: { name } };
      expect(await readPreimage(store, keyOfPreimage(preimage))).toBeUndefined();
      await store.put(`blobs/sha256/${keyOfPreimage(preimage)}`, Buffer.from('{"kind":"forged"}'));
      expect(await readPreimage(store, keyOfPreimage(preimage))).toBeUndefined();
    });
  });
}
