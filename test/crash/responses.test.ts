/**
 * Processes that ask a teacher, killed at the named points of the ledger. The teacher counts what it is asked and answers
 * differently every time, so that an answer bought again, or changed, is seen.
 */
import { contentDigest } from '../../distillation/responses/index.js';
import type { AskingKill } from '../support/asking-kill.js';
import { CountingTeacher, runAsking } from '../support/asking-process.js';
import { keysTo, open } from '../support/responses.js';
import { openPlace, placeKinds, type StorePlace } from '../support/store-place.js';

const around = (operation: AskingKill['operation'], key: string, ...nths: number[]): AskingKill[] =>
  nths.flatMap((nth) => (['before', 'after'] as const).map((when) => ({ operation, key, when, nth })));

/** In the order in which a ledger comes to them. */
const everywhere = [
  ...around('put', 'budgets/', 1),
  ...around('put', '/sessions/', 1, 2),
  ...around('put', '/single/', 1, 3),
];
const compacting = [...around('put', '/rows/', 1), ...around('put', '/shards/', 1), ...around('remove', '/single/', 2)];
const usd = 0.01;

describe.each(placeKinds)('a process that asks, killed in %s', (kind) => {
  let place: StorePlace;
  let teacher: CountingTeacher;
  let endpoint: string;
  beforeEach(async () => {
    place = await openPlace(kind);
    teacher = new CountingTeacher();
    endpoint = await teacher.start();
  });
  afterEach(async () => {
    teacher.stop();
    await place.close();
  });

  /** Kills one process after another, and leaves the last alone. @returns the code that it ended with */
  async function ask(kills: readonly AskingKill[], questions: number, lanes: number, capUsd: number) {
    const recorded = new Map<string, string>();
    const remember = async (): Promise<void> => {
      const ledger = await open(place.store, 0, { runId: 'a reader' });
      const found = await ledger.find(keysTo(questions));
      const digests = new Map([...found].map(([key, response]) => [key, String(contentDigest(response))]));
      for (const [key, before] of recorded) expect(digests.get(key)).toBe(before);
      for (const [key, digest] of digests) recorded.set(key, digest);
    };
    let fence = 0;
    for (const point of [...kills, undefined]) {
      const { url, environment } = place;
      const task = { url, endpoint, questions, lanes, fence: (fence += 1), usd, capUsd, ...(point ? { point } : {}) };
      const { isKilled, code } = await runAsking(task, environment);
      if (isKilled !== (point !== undefined) && code === undefined)
        throw new Error(`expected to be killed ${JSON.stringify(point)}, found an end`);
      await remember();
      if (code !== undefined) return { code, recorded: recorded.size };
    }
    return { code: undefined, recorded: recorded.size };
  }

  const possiblyTwice = async (): Promise<number> =>
    (await (await open(place.store, 1000)).report()).possiblyPaidTwice.calls;

  it('loses and changes no answer, and asks again only what was in flight', async () => {
    const [questions, lanes] = [48, 3];
    const kills = [...everywhere, ...compacting];
    expect(await ask(kills, questions, lanes, 100)).toEqual({ code: undefined, recorded: questions });
    expect(teacher.asks.size).toBe(questions);
    expect(teacher.total).toBeLessThanOrEqual(questions + lanes * everywhere.length);
    expect(teacher.total - questions).toBeLessThanOrEqual(await possiblyTwice());
  });

  it('after the answer was received and before it was recorded: possibly paid twice is what the teacher saw twice', async () => {
    const kills = Array.from({ length: 4 }, (): AskingKill => around('put', '/single/', 2)[0] ?? never());
    expect(await ask(kills, 10, 1, 100)).toEqual({ code: undefined, recorded: 10 });
    expect(teacher.total - 10).toBe(4);
    expect(await possiblyTwice()).toBe(4);
  });

  it('never lets the bill of the teacher pass the cap', async () => {
    const kills = Array.from({ length: 5 }, () => everywhere.slice(-2)).flat();
    expect(await ask(kills, 40, 3, 0.2)).toMatchObject({ code: 'budget-exhausted' });
    expect(teacher.total * usd).toBeLessThanOrEqual(0.200_001);
    expect(teacher.total).toBeGreaterThan(15);
  });
});

const never = (): never => {
  throw new Error('expected a point');
};
