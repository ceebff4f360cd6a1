/** A night that its schedule has started and no orchestrator has taken yet: its run has an id, and does not begin. */
import { Client } from '@temporalio/client';
import {
  describeSchedule,
  listRuns,
  listSchedules,
  openApprovals,
  pauseSchedule,
  removeSchedule,
  resumeSchedule,
  RunHandle,
  runLog,
  start,
  status,
  triggerSchedule,
  upsertSchedule,
} from '../../client/index.js';
import { nightOfRun } from '../../config/night.js';
import { NightFiles } from '../support/night-files.js';
import { until } from '../support/processes.js';
import { smallPlan, SmallNight } from '../support/small-night.js';
import { Watching } from '../support/watching.js';
import type { JsonObject } from '../../storage/index.js';

let files: NightFiles;
let night: SmallNight;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await SmallNight.begin();
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

const schedule = { cron: '0 3 1 1 *' };

/** The night of a schedule whose workers poll under a prefix of that name. */
async function nightOf(name: string): Promise<RunHandle> {
  const { client } = night;
  const file = smallPlan(files.newStore(), [{ id: 'note' }], { name, schedule }) as JsonObject;
  await upsertSchedule({ client, file, queuePrefix: name });
  return triggerSchedule({ client, name });
}

const workflowOf = ({ runId }: RunHandle) => night.client.workflow.getHandle(nightOfRun(runId) ?? '');

it('has a status, is watched and awaited, and goes on when an orchestrator comes', async () => {
  const run = await nightOf('late');
  const missing = { queue: 'late-orchestrator', command: 'nightstill worker --role orchestrator --queue-prefix late' };
  expect(await status(run)).toMatchObject({ status: 'running', nodes: [], missingWorkers: [missing] });
  expect(await openApprovals(run)).toEqual([]);
  expect(await runLog(run)).toEqual([]);
  await expect(run.state()).rejects.toMatchObject({ code: 'run-unanswered', retryable: true });
  const watching = new Watching(run);
  await watching.sees('no-worker');
  const result = run.result();
  await Promise.all([night.addWorker('orchestrator', 'late'), night.addWorker('io', 'late')]);
  expect(await result).toMatchObject({ nodes: { note: { reused: false } } });
  await watching.over;
  expect(watching.events.at(-1)).toMatchObject({ type: 'end', status: 'completed' });
  expect(watching.types).toContain('plan');
});

it('that ends before its run began has ended so for everybody who asks', async () => {
  const run = await nightOf('ended');
  const watching = new Watching(run);
  await watching.sees('no-worker');
  const result = run.result().catch((error: unknown) => error);
  await workflowOf(run).terminate('a test');
  expect(await result).toMatchObject({ code: 'run-terminated' });
  await watching.over;
  expect(watching.events.at(-1)).toMatchObject({ type: 'end', status: 'terminated' });
  expect(await status(run)).toMatchObject({ status: 'terminated', failure: { code: 'run-terminated' } });
  const failure = { code: 'run-terminated', message: 'a test' };
  expect(await runLog(run)).toEqual([
    { type: 'run-ended', atMs: expect.any(Number) as number, status: 'terminated', failure },
  ]);
  await expect(run.cancel()).rejects.toMatchObject({ code: 'run-missing' });
});

it('is cancelled as its run would be', async () => {
  const run = await nightOf('cancelled');
  await run.cancel();
  await night.addWorker('orchestrator', 'cancelled');
  await expect(run.result()).rejects.toMatchObject({ code: 'run-cancelled' });
  await expect(workflowOf(run).result()).rejects.toThrow(/cancel/i);
});

it('is none where no schedule has started it: such a run is missing', async () => {
  const run = new RunHandle(night.client, 'late-20250101-030000');
  for (const ask of [() => status(run), () => run.result(), () => run.state(), () => run.cancel()])
    await expect(ask()).rejects.toMatchObject({ code: 'run-missing' });
});

describe('a run whose orchestrator is away', () => {
  /** The server itself waits for half a minute. */
  const unanswered = (run: RunHandle) =>
    expect(night.client.withDeadline(Date.now() + 1500, () => run.state())).rejects.toMatchObject({
      code: 'run-unanswered',
    });

  it('is there and does not answer: nobody has polled, or somebody did a moment ago', async () => {
    const file = smallPlan(files.newStore(), [{ id: 'endless', uses: 'endless' }]);
    const unpolled = await night.start(files.newRunId(), file, 'nobody');
    await unanswered(unpolled);

    const orchestrator = await night.addWorker('orchestrator', 'gone');
    const left = await night.start(files.newRunId(), file, 'gone');
    // Of a run that takes its first step late, the server says at once that nobody answers.
    const answer = await until('an answer of the orchestrator', () => left.state().catch(() => undefined));
    expect(answer).toMatchObject({ nodes: expect.any(Array) });
    await orchestrator.stop();
    await unanswered(left);
  });
});

it('what Temporal refuses has a code', async () => {
  const { connection } = night.client;
  const nowhere = new Client({ connection, namespace: 'nowhere' });
  const run = new RunHandle(nowhere, 'support-20261127-030000');
  const longest = 'x'.repeat(2000);
  for (const ask of [
    () => start({ client: nowhere, file: {} }),
    () => listRuns({ client: nowhere }).next(),
    () => listSchedules(nowhere),
    () => upsertSchedule({ client: nowhere, file: smallPlan(files.newStore(), [], { schedule }) as JsonObject }),
    ...[describeSchedule, pauseSchedule, resumeSchedule, removeSchedule, triggerSchedule].map(
      (verb) => () => verb({ client: nowhere, name: 'support' }),
    ),
    ...[status, runLog, openApprovals].map((verb) => () => verb(run)),
    () => run.result(),
    () => run.state(),
    () => run.cancel(),
    () => start({ client: night.client, runId: longest, file: {} }),
  ])
    await expect(ask()).rejects.toMatchObject({ code: 'temporal-refused', fault: 'user' });
});
