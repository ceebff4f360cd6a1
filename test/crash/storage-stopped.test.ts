/**
 * Writers stopped with SIGSTOP while they hold their stage, as a suspended machine or a paused container stops them, and
 * woken with SIGCONT after a successor has gone on.
 */
import { claimStage, lookupResult } from '../../storage/index.js';
import { headKey, resultKey } from '../../storage/layout.js';
import type { KillPoint, PointKind } from '../support/kill-points.js';
import { stateOf, until } from '../support/processes.js';
import { bytesOf, HeadWatch, nobodyIsOpen, owner, stageKeyOf } from '../support/stage.js';
import { runStage, startStage, type StageProcess } from '../support/stage-process.js';
import type { StageTask } from '../support/stage-task.js';
import { openPlace, placeKinds, type StorePlace } from '../support/store-place.js';

const content = { seed: 7, steps: 8, bytes: 60_000 };
const before = (kind: PointKind, nth: number): KillPoint => ({ signal: 'SIGSTOP', when: 'before', kind, nth });
const after = (kind: PointKind, nth: number): KillPoint => ({ ...before(kind, nth), when: 'after' });

describe.each(placeKinds)('a claimed writer stopped in %s', (kind) => {
  let place: StorePlace;
  let stages = 0;
  beforeAll(async () => {
    place = await openPlace(kind);
  });
  afterAll(() => place.close());

  const task = (): Omit<StageTask, 'attempt'> => {
    stages += 1;
    return { ...content, url: place.url, stageKey: stageKeyOf(`stopped ${stages}`) };
  };
  const stopAt = async (stage: Omit<StageTask, 'attempt'>, point: KillPoint): Promise<StageProcess> => {
    const zombie = startStage({ ...stage, attempt: 1, point }, place.environment);
    await until(`process ${zombie.pid} to stop`, () => stateOf(zombie.pid) === 'T');
    return zombie;
  };
  const wake = async (zombie: StageProcess) => {
    zombie.signal('SIGCONT');
    return (await zombie.ended).events.at(-1);
  };
  const mark = async ({ stageKey }: Omit<StageTask, 'attempt'>) => ({
    head: await bytesOf(place.store, headKey(stageKey)),
    result: (await place.store.describe(resultKey(stageKey)))?.version,
  });

  describe.each([
    ['before it uploads a pack', before('pack', 4)],
    ['before it writes a manifest', before('manifest', 3)],
    ['before it moves the head', before('head', 3)],
    ['after it has moved the head', after('head', 3)],
  ])('%s', (_, point) => {
    it('changes nothing once a successor has saved, and ends with fence-lost', async () => {
      const stage = task();
      const watch = new HeadWatch(place.store, stage.stageKey);
      const zombie = await stopAt(stage, point);
      await watch.look();
      const killed: KillPoint = { signal: 'SIGKILL', when: 'after', kind: 'head', nth: 2 };
      expect((await runStage({ ...stage, attempt: 2, point: killed }, place.environment)).signal).toBe('SIGKILL');
      const there = await mark(stage);
      expect(await wake(zombie)).toMatchObject({ event: 'failed', code: 'fence-lost' });
      expect(await mark(stage)).toEqual(there);
      await watch.look();
      expect((await runStage({ ...stage, attempt: 3 }, place.environment)).events.at(-1)?.event).toBe('result');
      await watch.look();
    });
  });

  describe.each([
    ['before it writes its seal', before('seal', 1)],
    ['before it moves the head to its seal', before('sealed-head', 1)],
    ['before it writes a manifest', before('manifest', 3)],
  ])('%s', (_, point) => {
    it('changes neither head nor seal nor result once a successor has finished the stage', async () => {
      const stage = task();
      const zombie = await stopAt(stage, point);
      const finished = await runStage({ ...stage, attempt: 2 }, place.environment);
      expect(finished.events.at(-1)?.event).toBe('result');
      const there = await mark(stage);
      expect(await wake(zombie)).toMatchObject({ event: 'failed', code: 'fence-lost' });
      expect(await mark(stage)).toEqual(there);
      expect((await lookupResult(place.store, stage.stageKey))?.fence).toBe(2);
    });
  });

  it('before it records its result leaves a seal that everybody copies; awake again it comes to the same result', async () => {
    const stage = task();
    const zombie = await stopAt(stage, before('result', 1));
    const request = { stageKey: stage.stageKey, owner: owner(2), isOpen: nobodyIsOpen };
    await expect(claimStage(place.store, request)).rejects.toMatchObject({ code: 'stage-sealed' });
    const found = (await runStage({ ...stage, attempt: 2 }, place.environment)).events.at(-1);
    expect(found?.event).toBe('result');
    const there = await mark(stage);
    expect(await wake(zombie)).toEqual(found);
    expect(await mark(stage)).toEqual(there);
  });

  it('right after its claim, and by nobody followed, goes on as if nothing had happened', async () => {
    const stage = task();
    const zombie = await stopAt(stage, after('claim', 1));
    expect(await wake(zombie)).toMatchObject({ event: 'result' });
  });
});
