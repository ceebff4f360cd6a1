import { setTimeout as sleep } from 'node:timers/promises';
import { OpenStores } from '../../../activities/open-stores.js';
import { StageNames } from '../../../activities/stage-names.js';
import { openRun, readRun, type ObjectStore } from '../../../storage/index.js';
import { NightFiles } from '../../support/night-files.js';
import { newRun, stageKeyOf } from '../../support/stage.js';

let files: NightFiles;
beforeAll(async () => {
  files = await NightFiles.create();
});
afterAll(() => files.remove());

const same = (store: ObjectStore): Promise<ObjectStore> => Promise.resolve(store);

describe('open stores', () => {
  it('are shared by whoever uses them, at once or one after another', async () => {
    const stores = new OpenStores();
    const url = files.newStore();
    const [first, second] = await Promise.all([stores.use(url, same), stores.use(url, same)]);
    expect(second).toBe(first);
    expect(await stores.use(url, same)).toBe(first);
    expect(await stores.use(files.newStore(), same)).not.toBe(first);
  });

  it('are closed when nobody has used them for a while, and opened anew', async () => {
    const stores = new OpenStores(20);
    const url = files.newStore();
    const first = await stores.use(url, same);
    let closed = false;
    const close = first.close.bind(first);
    first.close = () => {
      closed = true;
      return close();
    };
    await sleep(10);
    expect(await stores.use(url, same)).toBe(first);
    while (!closed) await sleep(5);
    expect(await stores.use(url, same)).not.toBe(first);
  });

  it('that fail are left to those who use them still, and opened anew for others', async () => {
    const stores = new OpenStores();
    const url = files.newStore();
    let finish = (): void => undefined;
    const busy = stores.use(url, async (store) => {
      await new Promise<void>((resolve) => (finish = resolve));
      await store.put('blobs/late', new Uint8Array());
      return store;
    });
    await expect(stores.use(url, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const other = await stores.use(url, same);
    finish();
    expect(await busy).not.toBe(other);
  });

  it('that cannot be opened say so every time', async () => {
    const stores = new OpenStores();
    for (const _ of [1, 2])
      await expect(stores.use('ftp://nowhere', same)).rejects.toMatchObject({ code: 'store-url-invalid' });
  });
});

describe('stages that are named together', () => {
  it('are all named, in a few writes', async () => {
    await new OpenStores().use(files.newStore(), async (store) => {
      const names = new StageNames();
      const { counter } = await openRun(store, newRun('run'));
      const nodes = Array.from({ length: 60 }, (_, index) => `node-${index}`);
      const runs = await Promise.all(nodes.map((node) => names.add(store, 'run', node, stageKeyOf(node))));
      for (const [index, node] of nodes.entries()) expect(runs[index]?.stages[node]).toBe(stageKeyOf(node));
      const run = await readRun(store, 'run');
      expect(Object.keys(run?.stages ?? {})).toHaveLength(60);
      expect((run?.counter ?? 0) - counter).toBeLessThan(4);
      expect((await names.add(store, 'run', 'late', stageKeyOf('late'))).stages).toHaveProperty('late');
    });
  });

  it('of a run that was never opened are refused, and those of others named', async () => {
    await new OpenStores().use(files.newStore(), async (store) => {
      const names = new StageNames();
      await openRun(store, newRun('run'));
      const [missing, there] = await Promise.allSettled([
        names.add(store, 'other', 'node', stageKeyOf('a')),
        names.add(store, 'run', 'node', stageKeyOf('a')),
      ]);
      expect([missing, there]).toMatchObject([
        { status: 'rejected', reason: { code: 'object-missing' } },
        { status: 'fulfilled' },
      ]);
    });
  });
});
