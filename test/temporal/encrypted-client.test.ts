/** A client with the key sees of an encrypted run what it would see of any other; one without is told why it does not. */
import { Client } from '@temporalio/client';
import { startOrJoin } from '../../cli/start-run.js';
import {
  approve,
  describeSchedule,
  explain,
  listRuns,
  listSchedules,
  pauseSchedule,
  RunHandle,
  runLog,
  start,
  status,
  upsertSchedule,
} from '../../client/index.js';
import type { JsonObject } from '../../storage/index.js';
import { encrypted } from '../support/encryption.js';
import { NightFiles } from '../support/night-files.js';
import { until } from '../support/processes.js';
import { smallPlan, SmallNight } from '../support/small-night.js';
import { Watching } from '../support/watching.js';

const prompt = 'prompt-text-90ab';

let files: NightFiles;
let night: SmallNight;
let run: RunHandle;
let watching: Watching;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await SmallNight.begin({ dataConverter: encrypted() });
  await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
  const stages = [
    { id: 'note', with: { text: prompt, waitMs: 3000 } },
    { id: 'broken', uses: 'failing', needs: ['note'], with: { code: 'child-died', prompt } },
  ];
  run = await night.start(files.newRunId(), smallPlan(files.newStore(), stages));
  watching = new Watching(run);
  await watching.over;
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

describe('an encrypted run, for a client with the key', () => {
  it('is watched: plan, what heartbeats said, what attempts failed with, the end', () => {
    expect(watching.events).toContainEqual(expect.objectContaining({ type: 'plan', plan: 'small' }));
    const activities = watching.events.flatMap((event) =>
      event.type === 'progress' ? [event.activity] : event.type === 'node' ? (event.node.activity ?? []) : [],
    );
    expect(activities).toContainEqual(expect.objectContaining({ progress: { phase: 'write' } }));
    expect(activities.map(({ lastFailure }) => lastFailure)).toContainEqual({
      code: 'child-died',
      message: expect.stringContaining(prompt),
    });
    expect(watching.events.at(-1)).toMatchObject({ type: 'end', status: 'failed', failure: { code: 'child-died' } });
  });

  it('has a status, a log, and an explanation that finds the store by itself', async () => {
    const { nodes } = await status(run);
    expect(nodes.map(({ id, status: its }) => [id, its])).toEqual([
      ['note', 'done'],
      ['broken', 'failed'],
    ]);
    expect((await runLog(run)).find(({ type }) => type === 'failed')).toMatchObject({
      node: 'broken',
      failure: { code: 'child-died', message: expect.stringContaining(prompt) },
    });
    expect(await explain({ runId: run.runId, client: night.client, node: 'note' })).toMatchObject([
      { node: 'note', status: 'done', why: 'never run before' },
    ]);
  });
});

describe('an encrypted run, for a client without the key', () => {
  it('is refused with a code, whatever is asked of it', async () => {
    const client = withoutKey();
    const without = new RunHandle(client, run.runId);
    const seen = { node: 'note', candidate: 'sha256:0', verdict: 'sha256:0' };
    for (const ask of [
      () => start({ client, runId: run.runId, file: { name: 'small', store: 'file:///s' } }),
      () => status(without),
      () => runLog(without),
      () => new Watching(without).over,
      () => without.result(),
      () => without.state(),
      () => approve(without, { seen, by: 'alice' }),
    ])
      await expect(ask()).rejects.toMatchObject({ code: 'run-unreadable' });
  });

  it('is listed without its plan, and keeps nobody from a run of their own', async () => {
    const client = withoutKey();
    const [encryptedFile, ownFile] = [files.newStore(), files.newStore()].map((store) =>
      smallPlan(store, [{ id: 'note' }]),
    );
    const running = await night.start(files.newRunId(), encryptedFile!, 'nobody');
    await until('the run in the list', () => listed(night.client, running.runId));
    expect(await listed(client, running.runId)).toEqual({
      runId: running.runId,
      status: 'running',
      startedAtMs: expect.any(Number),
    });
    expect(await listed(night.client, running.runId)).toHaveProperty('planDigest');

    const request = { client, file: ownFile!, runId: undefined, queuePrefix: 'nobody' };
    const own = await startOrJoin(request);
    expect(own.joined).toBe(false);
    await until('it in the list', () => listed(client, own.handle.runId));
    expect(await startOrJoin(request)).toMatchObject({ joined: true, handle: { runId: own.handle.runId } });
  });

  it('has a schedule that is listed without its plan and refused with a code, beside one that can be read', async () => {
    const client = withoutKey();
    const schedule = { cron: '0 3 1 1 *', timeZone: 'Europe/Berlin' };
    const [theirs, own] = ['theirs', 'own'].map(
      (name) => smallPlan(files.newStore(), [{ id: 'note' }], { name, schedule }) as JsonObject,
    );
    await upsertSchedule({ client: night.client, file: theirs! });
    await upsertSchedule({ client, file: own! });
    const views = await until('both schedules', async () => {
      const found = await listSchedules(client);
      return found.length === 2 && found;
    });
    expect(views).toMatchObject([
      { name: 'own', planDigest: expect.stringMatching(/^sha256:/) },
      { name: 'theirs', paused: false, timeZone: 'Europe/Berlin', nextAtMs: { length: 3 } },
    ]);
    expect(views[1]).not.toHaveProperty('planDigest');
    expect(await listSchedules(night.client)).toMatchObject([{ name: 'own' }, { planDigest: expect.any(String) }]);
    const reference = { client, name: 'theirs' };
    for (const ask of [
      () => describeSchedule(reference),
      () => pauseSchedule(reference),
      () => upsertSchedule({ client, file: theirs! }),
    ])
      await expect(ask()).rejects.toMatchObject({
        code: 'run-unreadable',
        message: expect.stringMatching(/^schedule/),
      });
    expect(await describeSchedule({ client: night.client, name: 'theirs' })).toMatchObject({ paused: false });
  });
});

const withoutKey = (): Client => new Client({ connection: night.client.connection });

async function listed(client: Client, runId: string) {
  for await (const found of listRuns({ client })) if (found.runId === runId) return found;
  return undefined;
}
