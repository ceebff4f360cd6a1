/** A run whose payloads lie in the external storage of a user's data converter: a client that has it sees what it would see of any other. */
import { Client } from '@temporalio/client';
import { explain, listRuns, runLog, status } from '../../client/index.js';
import { NightFiles } from '../support/night-files.js';
import { until } from '../support/processes.js';
import { smallPlan, SmallNight } from '../support/small-night.js';
import { StoredPayloads } from '../support/stored-payloads.js';
import { Watching } from '../support/watching.js';

const stored = new StoredPayloads();
let files: NightFiles;
let night: SmallNight;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await SmallNight.begin({ dataConverter: { externalStorage: stored.storage() } });
  await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

it('is started, joined, watched, explained and listed by a client with the storage, and refused by name to one without', async () => {
  const runId = files.newRunId();
  const plan = smallPlan(files.newStore(), [{ id: 'note', with: { text: 'a', waitMs: 1000 } }]);
  const run = await night.start(runId, plan);
  const watching = new Watching(run);
  await watching.over;
  expect(stored.count).toBeGreaterThan(0);
  expect(watching.events).toContainEqual(expect.objectContaining({ type: 'plan', plan: 'small' }));
  expect(Object.keys((await run.result()).nodes)).toEqual(['note']);
  expect((await night.start(runId, plan)).runId).toBe(runId);
  expect(await status(run)).toMatchObject({ status: 'completed', nodes: [{ id: 'note', status: 'done' }] });
  expect((await runLog(run)).length).toBeGreaterThan(0);
  expect(await explain({ runId, client: night.client })).toMatchObject([{ node: 'note', why: 'never run before' }]);
  const listed = await until('the run in the list', async () => {
    for await (const one of listRuns({ client: night.client })) if (one.runId === runId) return one;
    return undefined;
  });
  expect(listed.planDigest).toMatch(/^sha256:/);

  const { connection } = night.client;
  await expect(status({ client: new Client({ connection }), runId })).rejects.toMatchObject({
    code: 'run-unreadable',
    message: expect.stringContaining('expected the externalStorage of the data converter'),
  });
});
