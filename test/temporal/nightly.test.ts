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
import { smallPlan, SmallNight } from '../support/small-night.js';
import { temporaryDirectory } from '../support/temporary.js';
import type { JsonObject } from '../../storage/index.js';

const directory = temporaryDirectory();
const store = pathToFileURL(join(directory, 'store')).href;
const rows = join(directory, 'rows.jsonl');
const never = { cron: '0 3 1 1 *', timeZone: 'Europe/Berlin' };

let night: SmallNight;
beforeAll(async () => {
  night = await SmallNight.begin();
  await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
});
afterAll(() => night.end());

const planOf = (name: string, stages: Parameters<typeof smallPlan>[1], top: JsonObject = {}): JsonObject =>
  smallPlan(store, stages, { name, schedule: never, ...top }) as JsonObject;

const twoRows = '{"prompt":"1 + 1","response":"2"}\n{"prompt":"1 + 2","response":"3"}\n';

describe('a schedule', () => {
  const file = planOf('nights', [
    { id: 'import', uses: 'import', with: { dataset: rows } },
    { id: 'note' },
    { id: 'after', needs: ['note'], inputs: { first: 'note.note' } },
  ]);

  it('runs what has to run in the first night, nothing in the next, and after a change what depends on it', async () => {
    const { client } = night;
    writeFileSync(rows, twoRows);
    await upsertSchedule({ client, file });
    const first = await night.oneNight('nights');
    expect([first.ran.toSorted(), first.reused]).toEqual([['after', 'import', 'note'], []]);

    const second = await night.oneNight('nights');
    expect([second.ran, second.reused.toSorted()]).toEqual([[], ['after', 'import', 'note']]);
    const explained = (await explain({ client, runId: second.run })).toSorted((one, other) =>
      one.node.localeCompare(other.node),
    );
    expect(
      explained.map(({ node, status, differences, recordedBy }) => [node, status, differences, recordedBy]),
    ).toEqual(['after', 'import', 'note'].map((node) => [node, 'reused', [], first.run]));
    expect(await stagesStarted(second.run)).toEqual([]);

    writeFileSync(rows, `${twoRows}{"prompt":"1 + 3","response":"4"}\n`);
    const third = await night.oneNight('nights');
    expect([third.ran, third.reused.toSorted()]).toEqual([['import'], ['after', 'note']]);
    expect(await explain({ client, runId: third.run, node: 'import' })).toMatchObject([
      { status: 'done', differences: [expect.stringMatching(/^dataset: what lies at .* changed/)] },
    ]);

    const otherText = planOf('nights', [
      { id: 'import', uses: 'import', with: { dataset: rows } },
      { id: 'note', with: { text: 'another' } },
      { id: 'after', needs: ['note'], inputs: { first: 'note.note' } },
    ]);
    const { changes } = await upsertSchedule({ client, file: otherText });
    expect(changes).toHaveLength(1);
    const fourth = await night.oneNight('nights');
    expect([fourth.ran, fourth.reused]).toEqual([['note', 'after'], ['import']]);
    const view = await describeSchedule({ client, name: 'nights' });
    expect(view.nights.map(({ run }) => run)).toEqual([fourth, third, second, first].map(({ run }) => run));
  });

  /** Ids of the activities of a run that are no lookups and no business of the run itself. */
  async function stagesStarted(runId: string): Promise<string[]> {
    const { events } = await night.client.workflow.getHandle(runId).fetchHistory();
    const nodes = ['import', 'note', 'after'];
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
