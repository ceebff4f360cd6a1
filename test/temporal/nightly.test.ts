/** Nights as a schedule starts them, on a real Temporal server. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CancelledFailure } from '@temporalio/common';
import {
  describeSchedule,
  explain,
  listSchedules,
  pauseSchedule,
  removeSchedule,
  resumeSchedule,
  RunHandle,
  triggerSchedule,
  upsertSchedule,
} from '../../client/index.js';
import { until } from '../support/processes.js';
import { smallPlan, SmallNight, type SmallWorker } from '../support/small-night.js';
import { withNewVersion } from '../support/small-stages.js';
import { temporaryDirectory } from '../support/temporary.js';
import type { JsonObject } from '../../storage/index.js';

const directory = temporaryDirectory();
const store = pathToFileURL(join(directory, 'store')).href;
const rows = join(directory, 'rows.jsonl');
const never = { cron: '0 3 1 1 *', timeZone: 'Europe/Berlin' };

let night: SmallNight;
let orchestrator: SmallWorker;
beforeAll(async () => {
  night = await SmallNight.begin();
  [orchestrator] = await Promise.all([night.addWorker('orchestrator'), night.addWorker('io')]);
});
afterAll(() => night.end());

const planOf = (name: string, stages: Parameters<typeof smallPlan>[1], top: JsonObject = {}): JsonObject =>
  smallPlan(store, stages, { name, schedule: never, ...top }) as JsonObject;

const twoRows = '{"prompt":"1 + 1","response":"2"}\n{"prompt":"1 + 2","response":"3"}\n';

const stagesOf = (text: string) => [
  { id: 'import', uses: 'import', with: { dataset: rows } },
  { id: 'count', uses: 'count', needs: ['import'] },
  { id: 'counted', needs: ['count'], inputs: { first: 'count.note' } },
  { id: 'note', with: { text } },
  { id: 'after', needs: ['note'], inputs: { first: 'note.note' } },
];
const nodes = stagesOf('').map(({ id }) => id);

/** Runs of the nights of the schedule `nights`, the newest first. */
const seen: string[] = [];

/** What a night of it ran, in the order of the plan; everything else was reused. */
async function ranInANight(): Promise<{ readonly run: string; readonly ran: readonly string[] }> {
  const { run, ran, reused } = await night.oneNight('nights');
  seen.unshift(run);
  expect([...ran, ...reused].toSorted()).toEqual(nodes.toSorted());
  return { run, ran: nodes.filter((id) => ran.includes(id)) };
}

async function why(runId: string, node: string): Promise<readonly string[] | undefined> {
  return (await explain({ client: night.client, runId, node }))[0]?.differences;
}

describe('a schedule', () => {
  it('runs what has to run in the first night, and nothing in the next', async () => {
    const { client } = night;
    writeFileSync(rows, twoRows);
    await upsertSchedule({ client, file: planOf('nights', stagesOf('a text')) });
    const first = await ranInANight();
    expect(first.ran).toEqual(nodes);

    const second = await ranInANight();
    expect(second.ran).toEqual([]);
    const explained = await explain({ client, runId: second.run });
    expect(explained.map(({ node }) => node).toSorted()).toEqual(nodes.toSorted());
    for (const { status, differences, recordedBy } of explained)
      expect([status, differences, recordedBy]).toEqual(['reused', [], first.run]);
    expect(await stagesStarted(second.run)).toEqual([]);
  });

  it('runs after one changed row what depends on the dataset, and says why', async () => {
    writeFileSync(rows, `${twoRows}{"prompt":"1 + 3","response":"4"}\n`);
    const { run, ran } = await ranInANight();
    expect(ran).toEqual(['import', 'count', 'counted']);
    expect(await why(run, 'import')).toEqual([expect.stringMatching(/^dataset: what lies at .* changed/)]);
    expect(await why(run, 'count')).toEqual(['input dataset changed']);
    expect(await why(run, 'counted')).toEqual(['input first changed']);
  });

  it('runs after a changed option its stage and what depends on it, and says why', async () => {
    const { client } = night;
    const { changes } = await upsertSchedule({ client, file: planOf('nights', stagesOf('another text')) });
    expect(changes).toHaveLength(1);
    const { run, ran } = await ranInANight();
    expect(ran).toEqual(['note', 'after']);
    expect(await why(run, 'note')).toEqual(['text: a text → another text']);
    expect(await why(run, 'after')).toEqual(['input first changed']);
  });

  it('runs a stage whose version was raised; what it makes is the same, and so nothing behind it runs', async () => {
    await orchestrator.stop();
    const newer = await night.addWorker('orchestrator', undefined, withNewVersion('count'));
    const { run, ran } = await ranInANight();
    expect(ran).toEqual(['count']);
    expect(await why(run, 'count')).toEqual(['version 1 → 2']);
    await newer.stop();
    orchestrator = await night.addWorker('orchestrator');
    expect((await ranInANight()).ran).toEqual([]);
    const view = await describeSchedule({ client: night.client, name: 'nights' });
    expect(view.nights.map((each) => each.run)).toEqual(seen);
  });

  /** Ids of the activities of a run that are no lookups and no business of the run itself. */
  async function stagesStarted(runId: string): Promise<string[]> {
    const { events } = await night.client.workflow.getHandle(runId).fetchHistory();
    return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
      nodes.filter((id) => id === scheduled?.activityId),
    );
  }
});

describe('a schedule that is there', () => {
  const named = (name: string) => ({ client: night.client, name });

  it('is brought up to its file, says what changed, and stays paused', async () => {
    const { client } = night;
    const file = planOf('kept', [{ id: 'note' }]);
    expect(await upsertSchedule({ client, file })).toMatchObject({ created: true, changes: [] });
    await pauseSchedule(named('kept'), 'a holiday');
    expect(await upsertSchedule({ client, file })).toMatchObject({ created: false, changes: [] });

    const later = { ...file, schedule: { ...never, cron: '0 4 1 1 *' } };
    const { schedule, changes } = await upsertSchedule({ client, file: later, queuePrefix: 'other' });
    expect(changes).toEqual([
      'schedule.cron: 0 3 1 1 * → 0 4 1 1 *',
      'queue: nightstill-orchestrator → other-orchestrator',
    ]);
    expect(schedule).toMatchObject({ name: 'kept', paused: true, note: 'a holiday', timeZone: 'Europe/Berlin' });
    const resumed = await resumeSchedule(named('kept'));
    // The first of January, four o'clock in Berlin.
    expect(new Date(resumed.nextAtMs[0] ?? 0).toISOString()).toMatch(/-01-01T03:00:00/);
    await removeSchedule(named('kept'));
    for (const act of [describeSchedule, pauseSchedule, resumeSchedule, removeSchedule, triggerSchedule])
      await expect(act(named('kept'))).rejects.toMatchObject({ code: 'schedule-missing' });
  });

  it('has at Temporal the jitter and the catch-up of its file, skips what would overlap, and is paused by a failure', async () => {
    const { client } = night;
    const minuteMs = 60_000;
    for (const [given, expected] of [
      [
        { jitter: '10m', catchUp: '6h' },
        { jitter: 10 * minuteMs, catchupWindow: 360 * minuteMs },
      ],
      [{}, { catchupWindow: 60 * minuteMs }],
    ] as const) {
      await upsertSchedule({ client, file: planOf('told', [{ id: 'note' }], { schedule: { ...never, ...given } }) });
      const { spec, policies } = await client.schedule.getHandle('told').describe();
      expect({ jitter: spec.jitter, timezone: spec.timezone, ...policies }).toMatchObject({
        ...expected,
        timezone: 'Europe/Berlin',
        overlap: 'SKIP',
        pauseOnFailure: true,
      });
    }
  });

  it('gives its nights the rows of their day, where its clock is', async () => {
    const { client } = night;
    // It has another date there than in UTC, and keeps it for an hour at least.
    const timeZone = new Date().getUTCHours() >= 10 ? 'Pacific/Kiritimati' : 'Pacific/Niue';
    const day = new Date().toLocaleDateString('sv-SE', { timeZone });
    expect(day).not.toBe(new Date().toISOString().slice(0, 10));
    writeFileSync(join(directory, `rows-${day}.jsonl`), twoRows);
    const dataset = join(directory, 'rows-{{scheduledDate}}.jsonl');
    const file = planOf('daily', [{ id: 'import', uses: 'import', with: { dataset } }]);
    await upsertSchedule({ client, file: { ...file, schedule: { ...never, timeZone } } });
    const { run, ran } = await night.oneNight('daily');
    expect(ran).toEqual(['import']);
    const { nodes: done } = await new RunHandle(client, run).result();
    expect(done['import']?.outputs['dataset']).toMatchObject({ rows: 2 });
  });

  it('is refused where it is of somebody else, or where the file says not when', async () => {
    const { client } = night;
    await client.schedule.create({
      scheduleId: 'theirs',
      spec: { cronExpressions: ['0 3 1 1 *'] },
      action: { type: 'startWorkflow', workflowType: 'theirs', taskQueue: 'theirs', args: [] },
    });
    const file = planOf('theirs', [{ id: 'note' }]);
    await expect(upsertSchedule({ client, file })).rejects.toMatchObject({ code: 'schedule-conflict' });
    await expect(removeSchedule(named('theirs'))).rejects.toMatchObject({ code: 'schedule-conflict' });
    await client.schedule.create({
      scheduleId: 'their-nightly',
      spec: { cronExpressions: ['0 3 1 1 *'] },
      action: { type: 'startWorkflow', workflowType: 'nightly', taskQueue: 'theirs', args: ['something else'] },
    });
    await until('their schedules in the list', async () => {
      const listed: string[] = [];
      for await (const { scheduleId } of client.schedule.list()) listed.push(scheduleId);
      return ['theirs', 'their-nightly'].every((name) => listed.includes(name));
    });
    expect((await listSchedules(client)).map(({ name }) => name)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^their/)]),
    );
    for (const name of ['', 'A name', 3, undefined] as unknown as string[])
      await expect(upsertSchedule({ client, file: { ...file, name } })).rejects.toMatchObject({ code: 'plan-invalid' });
    const { schedule: _, ...unscheduled } = file;
    await expect(upsertSchedule({ client, file: unscheduled })).rejects.toMatchObject({ code: 'plan-invalid' });
    await expect(upsertSchedule({ client, file: { ...file, schedule: { cron: '0 3 * *' } } })).rejects.toMatchObject({
      code: 'plan-invalid',
      message: expect.stringMatching(/schedule.*cron/),
    });
  });

  it('is paused by a night that fails, with the code of its run', async () => {
    const { client } = night;
    const stages = [{ id: 'bad', uses: 'failing', with: { code: 'dataset-empty' } }];
    await upsertSchedule({ client, file: planOf('failing', stages) });
    const { runId } = await triggerSchedule(named('failing'));
    const paused = await until('a paused schedule', async () => {
      const view = await describeSchedule(named('failing'));
      return view.paused && view;
    });
    expect(paused.note).toMatch(/fail/);
    await until('the run', () =>
      new RunHandle(client, runId).state().then(
        () => true,
        () => false,
      ),
    );
    await expect(new RunHandle(client, runId).result()).rejects.toMatchObject({ code: 'dataset-empty' });
  });

  it('starts no second night while one goes on; a run that is cancelled ends its night without a fault', async () => {
    const { client } = night;
    await upsertSchedule({ client, file: planOf('long', [{ id: 'endless', uses: 'endless' }]) });
    const { runId } = await triggerSchedule(named('long'));
    await expect(triggerSchedule(named('long'))).rejects.toMatchObject({ code: 'night-running' });
    // Nobody has looked before: Temporal itself leaves out the night of an earlier year, by the policy of the schedule.
    const [start, end] = [new Date('2025-01-01T00:00:00Z'), new Date('2025-01-02T00:00:00Z')];
    await client.schedule.getHandle('long').backfill({ start, end });
    const view = await until('a night that was left out', async () => {
      const found = await describeSchedule(named('long'));
      return found.skipped > 0 && found;
    });
    expect([view.skipped, view.nights.map(({ run }) => run)]).toEqual([1, [runId]]);
    await atWork(runId);
    await new RunHandle(client, runId).cancel();
    expect(await night.endOf('long', runId)).toMatchObject({ status: 'cancelled', run: runId });
    expect(await describeSchedule(named('long'))).toMatchObject({ paused: false });
  });

  it('has a night that is cancelled end its run in order', async () => {
    const { client } = night;
    await upsertSchedule({ client, file: planOf('left', [{ id: 'endless', uses: 'endless' }]) });
    const { runId } = await triggerSchedule(named('left'));
    await atWork(runId);
    const [action] = (await client.schedule.getHandle('left').describe()).info.runningActions;
    const handle = client.workflow.getHandle(action?.workflow.workflowId ?? '');
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
    await expect(new RunHandle(client, runId).result()).rejects.toMatchObject({ code: 'run-cancelled' });
  });

  const atWork = (runId: string) =>
    until('a stage at work', async () => {
      const found = await night.client.workflow
        .getHandle(runId)
        .describe()
        .catch(() => undefined);
      return (found?.raw.pendingActivities ?? []).some(({ lastHeartbeatTime }) => lastHeartbeatTime);
    });
});

const levels = Array.from({ length: 2000 }).reduce((value: object) => ({ value }), {});

it.each([
  ['with a text', 'tonight'],
  ['in a time zone that there is not', { timeZone: 'Mars/Phobos', file: { dataset: '{{scheduledDate}}' } }],
  ['with a file of too many levels', { file: levels }],
  ['for a schedule that has no name of one', { schedule: 'x'.repeat(2000) }],
])('a night that is started by hand %s fails, and is not tried for ever', async (how, input) => {
  const stored = { schedule: 'by-hand', planDigest: 'sha256:0', timeZone: 'UTC', file: null };
  const args = [typeof input === 'string' ? input : { ...stored, ...input }];
  const [workflowId, taskQueue] = [`night ${how}`, 'nightstill-orchestrator'];
  const start = { workflowId, taskQueue, args, workflowExecutionTimeout: '2m' } as const;
  const cause = { type: 'plan-invalid', message: expect.stringMatching(/^night: /) as string };
  await expect(night.client.workflow.execute('nightly', start)).rejects.toMatchObject({ cause });
});
