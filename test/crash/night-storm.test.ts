/**
 * A night in small, from prompts to a promoted student, whose processes and servers are killed, its teacher among them. The teacher
 * knows no request again and counts what it is asked. `npm run storm` kills at every moment.
 */
import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunHandle } from '../../client/index.js';
import { observationsOf, observedCalls, outputOf, rowsOf } from '../support/answers.js';
import { freePort } from '../support/free-port.js';
import { mixedKills, type KillOrder } from '../support/kill-orders.js';
import { modelDirectory } from '../support/model-directories.js';
import { holdComputing, killServer, metricsOf, runningIn, serve } from '../support/model-server.js';
import {
  askingPlan,
  nightStages,
  parallel,
  prepareNight,
  promptCount,
  type AskingRequest,
} from '../support/night-plan.js';
import { faultsIn, runNight } from '../support/night-storm.js';
import { until } from '../support/processes.js';
import { drawKills } from '../support/storm-table.js';
import { Storm } from '../support/storm.js';
import type { TeacherProcess } from '../support/teacher-process.js';

const seed = 59;

let storm: Storm;

beforeAll(async () => void (storm = await Storm.begin(prepareNight)));

afterEach(() => storm.calm());
afterAll(() => storm.end());

/** In every drawing: the teacher dies of what it is asked, and the worker between a response and its record, and as it promotes. */
const wanted: readonly KillOrder[] = [
  { process: 'teacher server', stage: 'answer', moment: 'ask' },
  { process: 'io worker', stage: 'answer', moment: 'ask' },
  { process: 'io worker', stage: 'answer', moment: 'record' },
  { process: 'io worker', stage: 'promote', moment: 'move' },
];

it('promotes the same student, records nothing twice and asks for no recorded answer again, whatever is killed', async () => {
  const undisturbed = await storm.undisturbed();
  const orders = mixedKills(nightStages, wanted, seed);
  const night = await runNight(storm, 'killed', orders, undisturbed);
  const { kills, outcome, asked } = night;
  process.stdout.write(`${drawKills(kills)}\n`);
  expect(kills.filter(({ inFlight }) => !inFlight)).toEqual([]);
  expect(outcome).toEqual(undisturbed.outcome);
  expect(faultsIn(night, undisturbed)).toEqual([]);
  // Six calls at two kills, and the one whose response was not recorded.
  expect(asked.possiblyPaidTwice).toBeGreaterThanOrEqual(7);
}, 1_800_000);

describe('a run that only asks', () => {
  let teacher: TeacherProcess;
  let before: number;
  const heard = () => teacher.asked.slice(before);

  beforeEach(() => {
    teacher = storm.pipeline.teacher ?? never();
    before = teacher.asked.length;
  });

  const start = (name: string, request: Partial<AskingRequest>): Promise<RunHandle> => {
    const dataset = storm.s3.url('datasets/prompts.jsonl');
    const requested = { store: storm.storeOf(name), dataset, endpoint: teacher.endpoint, ...request };
    return storm.night.start(name, askingPlan(requested));
  };

  it('counts a reply that comes after its client has given up, and asks for it again', async () => {
    const hold = teacher.hold();
    const run = await start('late', { teacher: { limits: { parallel, attempts: 12, timeout: '2s' } } });
    await until('calls that are made again', () => heard().length > parallel, 240_000);
    hold.release();
    const { nodes } = await run.result();
    const { calls } = observedCalls.parse(await observationsOf(storm.storeOf('late'), nodes['answer']));
    expect(new Set(heard()).size).toBe(promptCount);
    expect(calls.answered).toBe(promptCount);
    expect(calls.possiblyPaidTwice.calls).toBe(heard().length - promptCount);
  });

  it('never lets the bill pass the cap, though its worker is killed five times', async () => {
    // Only the five tokens of an answer cost something: a call costs what is reserved for it.
    const [callUsd, kills, between] = [0.00001, 5, 1];
    // One call more than are asked until the last kill.
    const affordable = kills * (parallel + between) + 1;
    const plan = {
      teacher: { prices: { inputUsdPerMillion: 0, outputUsdPerMillion: 2, asOf: '2026-11-27' } },
      answer: { maximumTokens: 5 },
      spendAtMostUsd: affordable * callUsd,
    };
    let hold = teacher.hold(between);
    const end = (await start('capped', plan)).result().catch((error: unknown) => error);
    for (let kill = 1; kill <= kills; kill += 1) {
      const isThere = async (): Promise<boolean> =>
        hold.holds && ((await storm.night.pending('capped', 'answer'))?.durableStep ?? 0) >= kill * between;
      await until('calls under way after some answers', isThere, 240_000);
      storm.worker('io').signal('SIGKILL');
      await storm.worker('io').exited;
      teacher.release();
      if (kill < kills) hold = teacher.hold(between);
      await storm.addWorker('io');
    }
    expect(await end).toMatchObject({ code: 'budget-exhausted' });
    expect(heard()).toHaveLength(affordable);
    expect(new Set(heard()).size).toBeLessThan(promptCount);
  });

  it('goes on when its model server is killed and comes back, which computes each answer once', async () => {
    const [port, log] = [await freePort(), join(storm.files.directory, 'replies')];
    const words = ['--idempotency-log', log, '--name', 'large', '--port', String(port)];
    await mkdir(log);
    let server = await serve(modelDirectory(), words);
    holdComputing(server);
    const run = await start('served', {
      endpoint: `http://127.0.0.1:${port}/v1`,
      answer: { keep: ['cut-off'], minimumYield: 0.1 },
    });
    await runningIn(server, { running: parallel, queue: 0 });
    await killServer(server);
    server = await serve(modelDirectory(), words);
    const { nodes } = await run.result();
    const store = storm.storeOf('served');
    const answers = await rowsOf(store, outputOf(nodes['answer'], 'answers'));
    const tokens = answers.reduce((sum, { completionTokens }) => sum + Number(completionTokens), 0);
    expect((await metricsOf(server)).get('nightstill_generated_tokens_total')).toBe(tokens);
    expect(readdirSync(log)).toHaveLength(promptCount);
    const { calls } = observedCalls.parse(await observationsOf(store, nodes['answer']));
    expect(calls).toMatchObject({ answered: promptCount, possiblyPaidTwice: { calls: parallel } });
    await killServer(server);
  });
});

const never = (): never => {
  throw new Error('expected a teacher');
};
