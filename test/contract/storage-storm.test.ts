/**
 * Two writers that compete for one stage, through a network and a server that do everything they do on bad days, by a seeded
 * plan. What holds is checked directly at the server, past the faults.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../../config/errors.js';
import {
  addRunStages,
  claimStage,
  collect,
  digestOf,
  lookupResult,
  openRun,
  type RestoredCheckpoint,
  type StageWriter,
} from '../../storage/index.js';
import { manifestKey, prefixes } from '../../storage/layout.js';
import { manifestKind } from '../../storage/manifest.js';
import { readRecord } from '../../storage/record.js';
import { readCheckpoint } from '../../storage/restore.js';
import { S3Store } from '../../storage/s3.js';
import { FaultProxy, randomOf, type FaultRule } from '../support/fault-proxy.js';
import { reachableKeys } from '../support/reachability.js';
import { S3Server } from '../support/s3-server.js';
import { HeadWatch, keysOf, newRun, nobodyIsOpen, outcomeOf, owner, stageKeyOf } from '../support/stage.js';
import { arraysOf, frozenOf, shardOf } from '../support/stage-task.js';

const seed = 1_848;
const savesWanted = 200;
const stageKey = stageKeyOf('in the storm');

const storm: readonly FaultRule[] = [
  { fault: 'slow-down', probability: 0.02 },
  { fault: 'internal-error', probability: 0.02 },
  { fault: 'conflict', probability: 0.02, method: 'PUT' },
  { fault: 'reset-before', probability: 0.02 },
  { fault: 'lost-answer', probability: 0.06 },
  { fault: 'truncated-request', probability: 0.02 },
  { fault: 'truncated-answer', probability: 0.03 },
  { fault: 'flipped-request', probability: 0.04 },
  { fault: 'flipped-answer', probability: 0.2 },
  { fault: 'slow-answer', probability: 0.01 },
  { fault: 'hang', probability: 0.002 },
];

let server: S3Server;
let proxy: FaultProxy;
let direct: S3Store;
beforeAll(async () => {
  server = await S3Server.start();
  proxy = await FaultProxy.start(server.endpoint, seed);
  direct = storeAt(server.endpoint);
});
afterAll(async () => {
  await direct.close();
  await proxy.stop();
  await server.stop();
});

const storeAt = (endpoint: string): S3Store =>
  new S3Store(
    { bucket: server.bucket, prefix: 'storm', region: 'us-east-1', forcePathStyle: true, endpoint },
    { attempts: 4, backoffMs: 5, idleTimeoutMs: 500 },
  );

/** Every repetition failed; of an upload also because what arrived was always damaged. */
const isNoAnswer = (error: unknown): boolean => hasCode(error, 'store-unavailable', 'object-body-invalid');

interface Saved {
  readonly fence: number;
  readonly step: number;
  readonly writer: number;
}

/** Now and then a pack is too large for the checksums of the adapter, and only the digest tells. */
const contentOf = (writer: number, step: number) => ({ seed: writer, bytes: step % 25 === 0 ? 1_500_000 : 20_000 });
const base = frozenOf({ seed, bytes: 0 });

/** @throws when it is not, bit for bit, what one writer saved at one step */
function assertWhole({ state, step, arrays, references }: Omit<RestoredCheckpoint, 'damaged'>): number {
  const writer = Number(Object.entries(state ?? {}).find(([name]) => name === 'writer')?.[1]);
  const content = contentOf(writer, step);
  const expected = new Map([...arraysOf(content, step), ...base]);
  for (const [name, bytes] of expected)
    if (Buffer.compare(arrays.get(name) ?? Buffer.from('-'), bytes) !== 0)
      throw new Error(`step ${step}: torn ${name}`);
  expect({ state, names: arrays.size }).toEqual({ state: { writer, step }, names: expected.size });
  expect(references.map(({ digest }) => digest)).toEqual([digestOf(shardOf(content, step))]);
  return writer;
}

class Competitor {
  readonly number: number;
  readonly store = storeAt(proxy.endpoint);
  readonly saved: Saved[] = [];
  claims = 0;
  restores = 0;
  lostFences = 0;
  unavailable = 0;
  last: StageWriter | undefined;
  readonly #random: () => number;

  constructor(number: number) {
    this.number = number;
    this.#random = randomOf(seed + number);
  }

  /** Claims, restores and saves until the fence is lost; waits a little; claims anew. */
  async compete(isOver: () => boolean): Promise<void> {
    while (!isOver())
      try {
        await this.#workUntilLost(isOver);
      } catch (error) {
        if (isNoAnswer(error)) this.unavailable += 1;
        else if (hasCode(error, 'fence-lost')) this.lostFences += 1;
        else throw error;
        await sleep(50 + 150 * this.#random());
      }
  }

  async #workUntilLost(isOver: () => boolean): Promise<void> {
    const request = { stageKey, owner: owner(this.claims, `train-${this.number}`), isOpen: nobodyIsOpen };
    const writer = await claimStage(this.store, request);
    this.last = writer;
    this.claims += 1;
    const restored = await writer.restore();
    if (restored) {
      assertWhole(restored);
      if (restored.damaged.length > 0) throw new Error(`passed over ${restored.damaged.join()}`);
      this.restores += 1;
    }
    for (let step = 1 + (restored?.step ?? 0); !isOver(); step += 1)
      try {
        await this.#save(writer, step);
      } catch (error) {
        // Whether it was written is not known; the writer goes on with the next step.
        if (!isNoAnswer(error)) throw error;
        this.unavailable += 1;
      }
  }

  async #save(writer: StageWriter, step: number): Promise<void> {
    const content = contentOf(this.number, step);
    const references = [await writer.putBlob(shardOf(content, step))];
    const state = { writer: this.number, step };
    const arrays = arraysOf(content, step);
    await writer.save({ step, state, arrays, frozen: base, references }).durable;
    this.saved.push({ fence: writer.fence, step, writer: this.number });
  }
}

it('two competing writers in a storm lose nothing, tear nothing, never move the head back, and leave nothing behind', async () => {
  await openRun(direct, newRun('storm'));
  await addRunStages(direct, 'storm', { train: stageKey });
  const watch = new HeadWatch(direct, stageKey);
  const [one, two] = [new Competitor(1), new Competitor(2)];
  const saves = (): number => one.saved.length + two.saved.length;
  proxy.plan(...storm);
  let over = false;
  const watching = (async () => {
    for (; !over; await sleep(5)) await watch.look();
  })();
  const isOver = (): boolean => saves() >= savesWanted;
  await Promise.all([one.compete(isOver), two.compete(isOver)]).finally(() => (over = true));
  await watching;

  const last = await claimAnyhow(one);
  expect((await watch.look())?.owner.activityId).toBe('train-1');
  await expectStopped(two.last);

  proxy.plan();
  const acknowledged = [...one.saved, ...two.saved];
  for (const { fence, step, writer } of acknowledged) {
    const manifest = await readRecord(direct, manifestKind, manifestKey(stageKey, step, fence));
    if (!manifest) throw new Error(`expected the manifest of step ${step} under fence ${fence}`);
    expect(assertWhole(await readCheckpoint(direct, manifest.value))).toBe(writer);
  }
  expect(await keysOf(direct, prefixes.quarantine)).toEqual([]);
  await expectNothingToSpare();
  await last.restore();
  await last.seal(await outcomeOf(last));
  expect(await lookupResult(direct, stageKey)).toMatchObject({ fence: last.fence });
  await expectNothingToSpare();
  report([one, two], watch);
  expect(one.lostFences + two.lostFences).toBeGreaterThan(10);
  const { 'access-denied': notInThisStorm, ...injected } = proxy.injected;
  expect(notInThisStorm).toBe(0);
  expect(Math.min(...Object.values(injected))).toBeGreaterThan(0);
});

async function claimAnyhow({ store, number }: Competitor): Promise<StageWriter> {
  for (;;)
    try {
      const request = { stageKey, owner: owner(1000, `train-${number}`), isOpen: nobodyIsOpen };
      return await claimStage(store, request);
    } catch (error) {
      if (!isNoAnswer(error) && !hasCode(error, 'fence-lost')) throw error;
    }
}

/** However often it tries, and whatever answers get lost: it saves nothing, and in the end it knows. */
async function expectStopped(stale: StageWriter | undefined): Promise<void> {
  if (!stale) throw new Error('expected a writer');
  for (let step = 1_000_000; ; step += 1)
    try {
      throw new Error(`saved: ${await stale.save({ step, state: null }).durable}`);
    } catch (error) {
      if (hasCode(error, 'fence-lost')) return;
      if (!isNoAnswer(error)) throw error;
    }
}

async function expectNothingToSpare(): Promise<void> {
  const { removed } = await collect(direct, { dryRun: false, graceMs: 0 });
  expect(removed.objects).toBeGreaterThan(0);
  expect(await keysOf(direct)).toEqual(await reachableKeys(direct, new Set([stageKey])));
}

function report(competitors: readonly Competitor[], { looks }: HeadWatch): void {
  const lines = competitors.map(
    ({ number, saved, claims, restores, lostFences, unavailable }) =>
      `    writer ${number}: ${saved.length} saves, ${claims} claims, ${restores} restores, ${lostFences} fences lost, ${unavailable} times no answer`,
  );
  const faults = Object.entries(proxy.injected).map(([fault, times]) => `${fault} ${times}`);
  const total = Object.values(proxy.injected).reduce((sum, times) => sum + times, 0);
  process.stdout.write(
    `${lines.join('\n')}\n    ${proxy.requests} requests, ${total} faults (${faults.join(', ')}), ${looks} looks, seed ${seed}\n`,
  );
}
