/** Aliases and run records, as any store must carry them. */
import { randomUUID } from 'node:crypto';
import {
  addRunStage,
  closeRun,
  digestOf,
  openRun,
  promote,
  readAlias,
  readRun,
  resolveAlias,
  rollback,
  type Alias,
  type ArtifactRef,
  type ObjectStore,
  type Promotion,
} from '../../storage/index.js';
import { stageKeyOf } from '../support/stage.js';

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

    it('nothing promoted is alias-missing', async () => {
      await expect(resolveAlias(store, name, 'champion')).rejects.toMatchObject({ code: 'alias-missing' });
      const first = await promote(store, promotion('a'));
      await expect(rollback(store, promotion('a', first))).rejects.toMatchObject({ code: 'alias-missing' });
    });
  });

  describe('run records', () => {
    const plan = digestOf('plan');

    it('are opened before the first stage, joined by the same plan, refused to another', async () => {
      await openRun(store, name, plan);
      expect(await openRun(store, name, plan)).toMatchObject({ status: 'open', planDigest: plan });
      await expect(openRun(store, name, digestOf('other'))).rejects.toMatchObject({ code: 'run-conflict' });
    });

    it('name every stage once, also when nodes are added at the same time', async () => {
      await openRun(store, name, plan);
      const nodes = ['import', 'answer', 'fine-tune', 'distill'];
      await Promise.all(nodes.map((node) => addRunStage(store, name, node, stageKeyOf(node))));
      const closed = await closeRun(store, name, { completed: true });
      expect(closed).toMatchObject({ status: 'closed', outcome: { completed: true } });
      expect(closed.stages).toEqual(Object.fromEntries(nodes.map((node) => [node, stageKeyOf(node)])));
      expect(await readRun(store, name)).toEqual(closed);
    });

    it('a stage of a run that was never opened is refused', async () => {
      await expect(addRunStage(store, name, 'import', stageKeyOf('x'))).rejects.toMatchObject({
        code: 'object-missing',
      });
    });
  });
}
