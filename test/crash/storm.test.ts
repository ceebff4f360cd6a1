/**
 * A run of the whole pipeline in small, in which one kind of process is killed in every stage that it takes part in, each
 * time with work in flight, at moments that a seed draws. `npm run storm` kills at all of them.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { drawnKills, kindsIn, requestOf } from '../support/kill-orders.js';
import { microStages, prepareMicroPlan } from '../support/micro-plan.js';
import { isAlive, stateOf, until } from '../support/processes.js';
import { movingObjects, takenUp } from '../support/record-counts.js';
import { drawKills } from '../support/storm-table.js';
import { Storm, type Undisturbed } from '../support/storm.js';
import type { Held } from '../support/strikes.js';

const seed = 1;

let storm: Storm;
let undisturbed: Undisturbed;

beforeAll(async () => {
  storm = await Storm.begin(prepareMicroPlan);
  undisturbed = await storm.undisturbed();
});

afterEach(() => storm.calm());
afterAll(() => storm.end());

it('undisturbed, makes each result once', () => {
  const once = { import: 1, teacher: 1, student: 1, 'fine-tune': 1, distill: 1 };
  expect(undisturbed.outcome).toMatchObject({
    digests: {
      'fine-tune.model': expect.stringMatching(/^sha256:/),
      'distill.model': expect.stringMatching(/^sha256:/),
    },
    records: { results: 5, heads: 5, copiesOfSeals: 5 },
    completions: once,
    orphans: 0,
  });
});

describe('training in flight', () => {
  /** Everything that was made is as in the undisturbed run, and recorded once. */
  async function expectUndisturbed(runId: string): Promise<void> {
    const result = await storm.handle(runId).result();
    const { digests, records, orphans } = await storm.outcomeOf(runId, result);
    expect({ digests, records, orphans }).toEqual({
      digests: undisturbed.outcome.digests,
      records: undisturbed.outcome.records,
      orphans: 0,
    });
  }

  interface Training {
    /** The trainer's process. */
    readonly child: number;
    readonly held: Held;
  }

  /** A request of a stage is held: otherwise a fast machine has finished the stage before anyone disturbs it. */
  const holdAt = (store: string, stage: string, moment: 'second save' | 'seal'): Held => {
    const [request, passing] = moment === 'seal' ? (['seal', 0] as const) : (['save', 1] as const);
    return storm.store.hold({ ...requestOf(request, undisturbed.stageKeys[stage] ?? '', `stores/${store}`), passing });
  };

  /** Waits until the stage trains and has a checkpoint. It comes no further than to the request that is held. */
  async function startAndTrain(
    runId: string,
    stage: 'fine-tune' | 'distill',
    moment: 'second save' | 'seal',
    numerics: { readonly threads?: number } = {},
  ): Promise<Training> {
    const held = holdAt(runId, stage, moment);
    await storm.start(runId, runId, numerics);
    await storm.night.inFlight(runId, stage);
    return { child: await storm.night.childOf(storm.worker('gpu')), held };
  }

  /** The first claim began anew; each after it that saved something went on from what was saved before. */
  async function expectTakenUp(store: string, stage: string): Promise<void> {
    const [first, ...later] = await takenUp(storm.storeOf(store), undisturbed.stageKeys[stage] ?? '');
    expect(first?.from).toBe(0);
    expect(later.length).toBeGreaterThan(0);
    expect(later.filter(({ from, saved }) => from === 0 || saved < from)).toEqual([]);
  }

  it('goes on from its checkpoint when the workflow is reset to its beginning', async () => {
    const { held } = await startAndTrain('reset-workflow', 'fine-tune', 'seal');
    const reset = ['--type', 'FirstWorkflowTask', '--reason', 'test'];
    await temporal('workflow', 'reset', '--workflow-id', 'reset-workflow', ...reset);
    await storm.night.inFlight('reset-workflow', 'fine-tune');
    held.release();
    await expectUndisturbed('reset-workflow');
    await expectTakenUp('reset-workflow', 'fine-tune');
  });

  it('goes on from its checkpoint when the activity is reset', async () => {
    const { child, held } = await startAndTrain('reset-activity', 'distill', 'seal');
    await temporal('activity', 'reset', '--workflow-id', 'reset-activity', '--activity-id', 'distill');
    // It is waited for while it may still be sealing.
    await until('the end of the first trainer', () => !isAlive(child), 240_000);
    held.release();
    await expectUndisturbed('reset-activity');
    await expectTakenUp('reset-activity', 'distill');
  });

  it('is done once when two runs of one plan are started together', async () => {
    const second = await storm.night.addWorker('gpu');
    const ids = ['together', 'together-too'];
    const held = holdAt('together', 'fine-tune', 'seal');
    await Promise.all(ids.map((id) => storm.start(id, 'together')));
    // Whoever comes second is refused, or still waits for a core.
    const bothAtWork = async (): Promise<boolean> => {
      const pending = await Promise.all(ids.map((id) => storm.night.pending(id, 'fine-tune')));
      return pending.every((activity) => activity !== undefined) && storm.night.children().length > 1;
    };
    await until('two trainers of one stage', bothAtWork, 240_000);
    held.release();
    const [one, other] = await Promise.all(ids.map((id) => storm.handle(id).result()));
    second.signal('SIGTERM');
    await second.exited;
    expect(other?.nodes['distill']?.outputs).toEqual(one?.nodes['distill']?.outputs);
    await expectUndisturbed('together');
    for (const stage of ['fine-tune', 'distill']) expect(await storm.fenceOf('together', stage, undisturbed)).toBe(1);
  });

  it('is not disturbed by a stopped worker and trainer that wake after their successor has finished', async () => {
    const { child, held } = await startAndTrain('zombie', 'fine-tune', 'second save');
    const zombie = storm.worker('gpu');
    for (const pid of [zombie.pid, child]) process.kill(pid, 'SIGSTOP');
    held.release();
    await storm.addWorker('gpu');
    await storm.handle('zombie').result();
    const before = await movingObjects(storm.storeOf('zombie'));
    expect([stateOf(zombie.pid), stateOf(child)]).toEqual(['T', 'T']);
    for (const pid of [zombie.pid, child]) process.kill(pid, 'SIGCONT');
    await until('the end of the zombie', () => !isAlive(child), 30_000);
    zombie.signal('SIGTERM');
    await zombie.exited;
    expect(await movingObjects(storm.storeOf('zombie'))).toEqual(before);
    await expectUndisturbed('zombie');
  });

  it('goes on beside a stopped trainer that held every core: the successor ends it', async () => {
    const store = 'all-cores';
    const threads = availableParallelism();
    const { child, held } = await startAndTrain(store, 'fine-tune', 'second save', { threads });
    const zombie = storm.worker('gpu');
    for (const pid of [zombie.pid, child]) process.kill(pid, 'SIGSTOP');
    held.release();
    await storm.addWorker('gpu');
    const result = await storm.handle(store).result();
    expect([stateOf(zombie.pid), isAlive(child)]).toEqual(['T', false]);
    zombie.signal('SIGKILL');
    await zombie.exited;
    const { records, orphans } = await storm.outcomeOf(store, result);
    expect({ records, orphans }).toEqual({ records: undisturbed.outcome.records, orphans: 0 });
  });
});

async function temporal(...words: readonly string[]): Promise<void> {
  const { binary, address } = storm.night.temporal;
  await promisify(execFile)(binary, [...words, '--address', address]);
}

it.each(kindsIn(microStages))('comes out bit for bit the same when its %s is killed at each stage', async (process) => {
  const orders = drawnKills(process, microStages, seed);
  const { kills, outcome } = await storm.run(`kill-${process.replaceAll(' ', '-')}`, orders, undisturbed);
  globalThis.process.stdout.write(`${drawKills(kills)}\n`);
  expect(outcome).toEqual(undisturbed.outcome);
  expect(kills.length).toBeGreaterThanOrEqual(3);
  expect(kills.filter(({ inFlight }) => !inFlight)).toEqual([]);
});
