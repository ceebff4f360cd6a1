/**
 * Writers killed with SIGKILL: at every named point of the protocol, and at random times inside an operation. Each stage is
 * killed again and again, every time by a new process that goes on from what is there, until one is left alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { lookupResult, readArtifact } from '../../storage/index.js';
import { factsOf } from '../../storage/results.js';
import { randomOf } from '../support/fault-proxy.js';
import type { KillPoint, PointKind } from '../support/kill-points.js';
import { HeadWatch, stageKeyOf } from '../support/stage.js';
import { runStage, startStage, type StageEnd } from '../support/stage-process.js';
import { assertShards, type StageTask } from '../support/stage-task.js';
import { openPlace, placeKinds, type StorePlace } from '../support/store-place.js';

const seed = 20_260;

/** A point, or after how many milliseconds of work. */
type Kill = Omit<KillPoint, 'signal'> | number;

const around = (kind: PointKind, ...nths: number[]): Kill[] =>
  nths.flatMap((nth) => (['before', 'after'] as const).map((when) => ({ when, kind, nth })));

/** A process that begins anew uploads three blobs for its first save, two for each one after it. */
const onTheWay = [
  ...around('claim', 1),
  ...around('pack', 1, 2, 3, 5),
  ...around('check', 1, 3, 6),
  ...around('manifest', 1, 2),
  ...around('head', 1, 2),
];
/** In the order in which a stage comes to them: the steps are done, and every process begins here. */
const atTheEnd = [...around('seal', 1), ...around('sealed-head', 1), ...around('result', 1)];

const small = { seed, steps: 14, bytes: 60_000 };
/** Two packs of their own in every checkpoint. */
const large = { seed, steps: 4, bytes: 17 * 1024 * 1024 };

describe.each(placeKinds)('a writer killed in %s', (kind) => {
  let place: StorePlace;
  let undisturbed: { readonly small: string; readonly large: string };
  let kills = 0;
  beforeAll(async () => {
    place = await openPlace(kind);
    undisturbed = {
      small: await finish(new Stage('undisturbed', small)),
      large: await finish(new Stage('undisturbed and large', large)),
    };
  });
  afterAll(async () => {
    process.stdout.write(`    ${kills} kills in ${kind}, seed ${seed}\n`);
    await place.close();
  });

  /** One stage and what was promised about it. */
  class Stage {
    readonly name: string;
    readonly task: Omit<StageTask, 'attempt' | 'url'>;
    readonly watch: HeadWatch;
    acknowledged = 0;
    attempts = 0;

    constructor(name: string, content: typeof small) {
      this.name = name;
      this.task = { ...content, stageKey: stageKeyOf(name) };
      this.watch = new HeadWatch(place.store, this.task.stageKey);
    }

    next(point?: KillPoint): StageTask {
      this.attempts += 1;
      return { ...this.task, url: place.url, attempt: this.attempts, ...(point ? { point } : {}) };
    }

    /** What one process said, held against what the ones before it were promised. */
    async check({ events }: StageEnd): Promise<void> {
      for (const event of events) {
        if (event.event === 'failed') throw new Error(`${this.name}: ${event.code}: ${event.message}`);
        // The save that was under way may have been completed; nothing after it can be.
        if (event.event === 'restored' && ![0, 1].includes(event.step - this.acknowledged))
          throw new Error(`${this.name}: acknowledged ${this.acknowledged}, restored ${event.step}`);
        // What was restored counts as acknowledged from then on: the next process goes on from there.
        if (event.event === 'saved' || event.event === 'restored') this.acknowledged = event.step;
      }
      await this.watch.look();
    }
  }

  async function kill(stage: Stage, how: Kill): Promise<void> {
    if (typeof how === 'number') {
      const child = startStage(stage.next(), place.environment);
      await child.began;
      await sleep(how);
      child.signal('SIGKILL');
      const end = await child.ended;
      if (end.signal === 'SIGKILL') kills += 1;
      return stage.check(end);
    }
    const end = await runStage(stage.next({ signal: 'SIGKILL', ...how }), place.environment);
    await stage.check(end);
    if (end.signal !== 'SIGKILL')
      throw new Error(`${stage.name}: expected to be killed ${JSON.stringify(how)}, found ${JSON.stringify(end)}`);
    kills += 1;
  }

  /** The run can always be finished: the result, by the process and from the store. */
  async function finish(stage: Stage): Promise<string> {
    const end = await runStage(stage.next(), place.environment);
    await stage.check(end);
    const last = end.events.at(-1);
    const result = await lookupResult(place.store, stage.task.stageKey);
    const dataset = result?.outcome.outputs['dataset'];
    if (last?.event !== 'result' || !result || !dataset) throw new Error(`${stage.name}: no result`);
    const { parts } = await readArtifact(place.store, dataset);
    await assertShards(place.store, stage.task, stage.task.steps, parts);
    expect(factsOf(result.outcome)).toBe(last.facts);
    return last.facts;
  }

  const killAgainAndAgain = async (name: string, content: typeof small, how: readonly Kill[]): Promise<string> => {
    const stage = new Stage(name, content);
    for (const each of how) await kill(stage, each);
    return finish(stage);
  };

  it('at every named point loses nothing that was acknowledged, tears nothing, and comes to the same result', async () => {
    const random = randomOf(seed);
    const points = shuffled(onTheWay, random);
    const stages = 4;
    const results = await Promise.all(
      Array.from({ length: stages }, (_, index) =>
        killAgainAndAgain(`named ${index}`, small, [
          ...points.filter((_point, position) => position % stages === index),
          ...atTheEnd.filter((_point, position) => index < 2 || position % 2 === index % 2),
        ]),
      ),
    );
    expect(new Set(results)).toEqual(new Set([undisturbed.small]));
  });

  it('at random times, inside whatever it does, comes to the same result', async () => {
    const random = randomOf(seed + 1);
    const results = await Promise.all(
      [1, 2].map((index) =>
        killAgainAndAgain(
          `random ${index}`,
          small,
          Array.from({ length: 9 }, () => random() * 60),
        ),
      ),
    );
    expect(new Set(results)).toEqual(new Set([undisturbed.small]));
  });

  it('between the packs of a large checkpoint comes to the same result', async () => {
    const random = randomOf(seed + 2);
    const points = [...around('pack', 1, 2, 4), ...around('check', 4), ...around('manifest', 1)];
    const result = await killAgainAndAgain('large', large, [...points, ...[1, 2].map(() => random() * 300)]);
    expect(result).toBe(undisturbed.large);
  });
});

const shuffled = <Item>(items: readonly Item[], random: () => number): Item[] =>
  items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
