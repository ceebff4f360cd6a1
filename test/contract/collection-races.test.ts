/** Collection beside writers that work, die and begin anew; and what may happen in the gaps of either. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { addRunStages, collect, hasArtifact, lookupResult, openRun, type ObjectStore } from '../../storage/index.js';
import { prefixes } from '../../storage/layout.js';
import { readManifest } from '../../storage/manifest.js';
import { readCheckpoint } from '../../storage/restore.js';
import { withClock } from '../support/clocked-store.js';
import { randomOf } from '../support/fault-proxy.js';
import { intercept, type StoreCall } from '../support/intercepted-store.js';
import type { KillPoint } from '../support/kill-points.js';
import { compiledPath } from '../support/processes.js';
import { claim, HeadWatch, keysOf, newRun, noise, outcomeOf, stageKeyOf } from '../support/stage.js';
import { runStage, type StageEnd } from '../support/stage-process.js';
import { assertWhole, type StageTask } from '../support/stage-task.js';
import { openPlace, placeKinds, type StorePlace } from '../support/store-place.js';

const seed = 31_337;
const graceMs = 1000;
const dayMs = 24 * 60 * 60 * 1000;

describe.each(placeKinds)('collection beside writers in %s', (kind) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openPlace(kind);
  });
  afterAll(() => place.close());

  describe('with a grace of one second, while writers are killed and do the same step again with the same bytes', () => {
    const stages = 6;
    const deaths = 5;
    let collections = 0;
    const taken = new Set<string>();
    const restoredAgain = new Set<string>();

    /** Both checkpoints that a head keeps, whole and by themselves. */
    const assertKept = async (task: StageTask, watch: HeadWatch): Promise<void> => {
      const head = await watch.look();
      for (const reference of [head?.manifest, head?.previous]) {
        if (!reference || head?.sealed) continue;
        const manifest = await readManifest(place.store, reference);
        const checkpoint = await readCheckpoint(place.store, manifest);
        await assertWhole(place.store, task, { ...checkpoint, damaged: [] });
      }
    };

    const dieAgainAndAgain = async (index: number): Promise<StageEnd> => {
      const random = randomOf(seed + index);
      const stageKey = stageKeyOf(`dying ${index}`);
      const task: StageTask = { url: place.url, stageKey, seed: index, steps: 2 * deaths, bytes: 20_000, attempt: 1 };
      const watch = new HeadWatch(place.store, stageKey);
      let acknowledged = 0;
      for (let attempt = 1; ; attempt += 1) {
        const nth = 2 + Math.floor(random() * 4);
        const point: KillPoint = { signal: 'SIGKILL', when: 'after', kind: random() < 0.5 ? 'pack' : 'check', nth };
        const end = await runStage({ ...task, attempt, ...(attempt <= deaths ? { point } : {}) }, place.environment);
        for (const event of end.events) {
          if (event.event === 'failed') throw new Error(`stage ${index}: ${event.code}: ${event.message}`);
          if (event.event === 'restored' && event.step < acknowledged)
            throw new Error(`stage ${index}: acknowledged ${acknowledged}, restored ${event.step}`);
          if (event.event === 'saved') acknowledged = event.step;
        }
        await assertKept(task, watch);
        if (end.signal === null) return end;
        // What the dead writer left becomes old enough to be collected right when the next one writes it again.
        await sleep(graceMs * (1 + 1.5 * random()));
      }
    };

    /** Collects in a process of its own until it is told to stop. */
    const startCollecting = (): (() => Promise<void>) => {
      const parameters = [compiledPath('test/support/collector-child.js'), place.url, String(graceMs)];
      const child = spawn(process.execPath, ['--no-warnings', ...parameters], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, ...place.environment },
      });
      const ended = once(child, 'exit');
      createInterface({ input: child.stdout }).on('line', (line) => {
        collections += 1;
        for (const key of JSON.parse(line)) taken.add(key);
      });
      return async () => {
        child.stdin.end();
        expect(await ended).toEqual([0, null]);
      };
    };

    it('nothing needed is lost: every acknowledged checkpoint that a head keeps restores, every stage is finished', async () => {
      for (let index = 0; index < stages; index += 1) await openRun(place.store, newRun(`dying ${index}`));
      for (let index = 0; index < stages; index += 1)
        await addRunStages(place.store, `dying ${index}`, { train: stageKeyOf(`dying ${index}`) });
      const stopCollecting = startCollecting();
      const dying = Promise.all(Array.from({ length: stages }, (_, index) => dieAgainAndAgain(index)));
      await dying.catch(() => undefined);
      await stopCollecting();
      const ends = await dying;
      expect(ends.map(({ events }) => events.at(-1)?.event)).toEqual(ends.map(() => 'result'));
      for (let index = 0; index < stages; index += 1)
        expect(await lookupResult(place.store, stageKeyOf(`dying ${index}`))).toBeDefined();
      for (const key of await keysOf(place.store, prefixes.blobs)) if (taken.has(key)) restoredAgain.add(key);
      process.stdout.write(
        `    ${collections} collections in ${kind} took ${taken.size} objects from under ${stages * deaths} deaths, ` +
          `${restoredAgain.size} of them written again since, seed ${seed}\n`,
      );
      expect(collections).toBeGreaterThan(stages);
      expect(restoredAgain.size).toBeGreaterThan(0);
    });
  });

  describe('in the gaps of the other', () => {
    let store: ObjectStore;
    let stageKey: string;
    const clock = { nowMs: 10 * dayMs };
    beforeEach(async () => {
      store = withClock(await place.openFresh(), clock);
      stageKey = stageKeyOf(randomUUID());
    });
    afterEach(() => store.close());

    const weights = new Map([['weights', noise(3_000, 1)]]);
    /** A writer that died between its upload and its manifest, long ago. */
    const leaveOrphan = async (): Promise<string> => {
      const dying = intercept(store, {
        before: ({ key, operation }) => {
          if (operation === 'putIfAbsent' && key.startsWith(prefixes.checkpoints)) throw new Error('died here');
        },
      });
      await expect(
        (await claim(dying, stageKey)).save({ step: 1, state: null, arrays: weights }).durable,
      ).rejects.toThrow('died here');
      clock.nowMs += 2 * dayMs;
      return (await keysOf(store, prefixes.blobs))[0] ?? '';
    };
    const atFirst = (fits: (call: StoreCall) => boolean, act: () => Promise<unknown>) => {
      let over = false;
      return async (call: StoreCall): Promise<void> => {
        if (over || !fits(call)) return;
        over = true;
        await act();
      };
    };
    const saveAgain = async (through = store): Promise<void> => {
      await (await claim(through, stageKey, 2)).save({ step: 1, state: null, arrays: weights }).durable;
    };
    const expectRestored = async (): Promise<void> =>
      expect(await (await claim(store, stageKey, 3)).restore()).toMatchObject({ step: 1, damaged: [] });

    it('what a writer uploads again after it was judged is younger than it was, and stays', async () => {
      const orphan = await leaveOrphan();
      const overtaken = intercept(store, {
        before: atFirst(({ operation, key }) => operation === 'describe' && key === orphan, saveAgain),
      });
      expect((await collect(overtaken, { dryRun: false })).removedKeys).not.toContain(orphan);
      await expectRestored();
    });

    it('a collection that was stopped before a delete looks again, and leaves what was written in the meantime', async () => {
      const orphan = await leaveOrphan();
      let looks = 0;
      const stopped = intercept(store, {
        after: async ({ operation, key }) => {
          if (operation !== 'describe' || key !== orphan || ++looks > 1) return;
          await saveAgain();
          await sleep(1_100);
        },
      });
      expect((await collect(stopped, { dryRun: false })).removedKeys).not.toContain(orphan);
      await expectRestored();
    });

    it.each(['putIfAbsent', 'putIfMatch'] as const)(
      'a delete that comes late, when a writer is about to %s its manifest or head, is made good before the acknowledgement',
      async (operation) => {
        const orphan = await leaveOrphan();
        const prefix = operation === 'putIfAbsent' ? prefixes.checkpoints : prefixes.heads;
        let reached = (): void => undefined;
        const atTheGap = new Promise<void>((resolve) => (reached = resolve));
        let goOn = (): void => undefined;
        const isDeleted = new Promise<void>((resolve) => (goOn = resolve));
        let claimed = false;
        const slow = intercept(store, {
          before: async (call) => {
            if (call.key.startsWith(prefixes.blobs)) claimed = true;
            if (!claimed || call.operation !== operation || !call.key.startsWith(prefix)) return;
            reached();
            await isDeleted;
          },
        });
        let saving: Promise<void> | undefined;
        const late = intercept(store, {
          before: atFirst(
            ({ operation: which, key }) => which === 'remove' && key === orphan,
            () => {
              saving = saveAgain(slow);
              return atTheGap;
            },
          ),
        });
        expect((await collect(late, { dryRun: false })).removedKeys).toContain(orphan);
        expect(await store.describe(orphan)).toBeUndefined();
        goOn();
        await saving;
        await expectRestored();
      },
    );

    it('a run that looked a result up right before it went keeps what the result names until it is closed', async () => {
      const writer = await claim(store, stageKey);
      const { outcome } = await writer.seal(await outcomeOf(writer));
      const dataset = outcome.outputs['dataset'];
      if (!dataset) throw new Error('expected an output');
      clock.nowMs += 2 * dayMs;
      const lookedUp = intercept(store, {
        after: atFirst(
          ({ operation, key }) => operation === 'list' && key === prefixes.results,
          async () => {
            await openRun(store, newRun('late'));
            await addRunStages(store, 'late', { import: stageKey });
            expect(await lookupResult(store, stageKey)).toBeDefined();
          },
        ),
      });
      await collect(lookedUp, { dryRun: false });
      expect(await keysOf(store, prefixes.results)).toEqual([]);
      for (const days of [2, 30]) {
        clock.nowMs += days * dayMs;
        await collect(store, { dryRun: false });
      }
      expect(await hasArtifact(store, dataset)).toBe(true);
    });
  });
});
