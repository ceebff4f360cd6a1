/** A client with the key sees of an encrypted run what it would see of any other; one without is told why it does not. */
import { Client } from '@temporalio/client';
import { explain, RunHandle, runLog, start, status } from '../../client/index.js';
import { encrypted } from '../support/encryption.js';
import { NightFiles } from '../support/night-files.js';
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
  it('is refused with a code', async () => {
    const without = new RunHandle(new Client({ connection: night.client.connection }), run.runId);
    const again = () =>
      start({ client: without.client, runId: run.runId, file: { name: 'small', store: 'file:///s' } });
    for (const ask of [again, () => status(without), () => runLog(without), () => new Watching(without).over])
      await expect(ask()).rejects.toMatchObject({ code: 'run-unreadable' });
  });
});
