/** What is told of runs when no worker is there to be asked. */
import { explain, runLog, status, type RunHandle } from '../../client/index.js';
import { NightFiles } from '../support/night-files.js';
import { importPlan, Night } from '../support/night.js';
import { TemporalTestServer } from '../support/temporal-server.js';

let files: NightFiles;
let night: Night;
let store: string;
let dataset: string;
let first: RunHandle;
let again: RunHandle;
let changed: RunHandle;
let failed: RunHandle;
let live: Awaited<ReturnType<RunHandle['state']>>;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await Night.begin();
  const workers = await Promise.all([night.addWorker('orchestrator'), night.addWorker('io')]);
  store = files.newStore();
  dataset = await files.newDataset();
  const run = (plan: Parameters<typeof importPlan>[0]) => night.start(files.newRunId(), importPlan(plan));
  first = await run({ store, dataset });
  await first.result();
  again = await run({ store, dataset });
  await again.result();
  changed = await run({ store, dataset, shardBytes: 128 * 1024 });
  await changed.result();
  failed = await run({ store, dataset: await files.newDataset('') });
  await failed.result().catch(() => undefined);
  live = await failed.state();
  for (const worker of workers) worker.signal('SIGTERM');
  await Promise.all(workers.map(({ exited }) => exited));
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

describe('the status of a run that is over, without a worker', () => {
  it('says how its nodes ended, and why they were reused or ran', async () => {
    expect(await status(first)).toMatchObject({
      plan: 'nightly',
      status: 'completed',
      nodes: [{ id: 'import', status: 'done', why: 'never run before' }],
      missingWorkers: [],
    });
    expect(await status(again)).toMatchObject({
      nodes: [{ id: 'import', status: 'reused', why: `recorded by run ${first.runId}` }],
    });
  });

  it('says what it failed with, and of its nodes what the workflow said of itself', async () => {
    const view = await status(failed);
    expect(view).toMatchObject({ status: 'failed', failure: { code: 'dataset-empty' } });
    const { nodes } = view;
    expect(nodes.map(({ id, status: its }) => [id, its])).toEqual(live.nodes.map(({ id, status: its }) => [id, its]));
    expect(nodes[0]?.why).toMatch(/^dataset-empty: file:.*expected at least one row/);
  });

  it('comes from its record in the store when Temporal has forgotten it', async () => {
    const other = await TemporalTestServer.start();
    try {
      const client = await other.client();
      const { runId } = failed;
      await expect(status({ client, runId })).rejects.toMatchObject({ code: 'run-missing' });
      expect(await status({ client, runId, store })).toMatchObject({
        plan: 'nightly',
        status: 'failed',
        failure: { code: 'dataset-empty' },
        nodes: [{ id: 'import', status: 'failed' }],
      });
    } finally {
      await other.stop();
    }
  });
});

describe('a run that goes on', () => {
  it('has a status though nobody works on it: it says what is missing', async () => {
    const handle = await night.start(files.newRunId(), importPlan({ store, dataset }));
    expect(await status(handle)).toMatchObject({
      status: 'running',
      nodes: [],
      missingWorkers: [
        {
          queue: 'nightstill-orchestrator',
          command: 'nightstill worker --role orchestrator',
          lastWorker: expect.stringContaining('nightstill-orchestrator@'),
        },
      ],
    });
    await night.client.workflow.getHandle(handle.runId).terminate();
    expect(await status(handle)).toMatchObject({ status: 'terminated', failure: { code: 'run-terminated' } });
  });
});

describe('why a stage ran', () => {
  it('is what differs from the run before, also without Temporal', async () => {
    const expected = {
      node: 'import',
      status: 'done',
      why: 'shardBytes: 65536 → 131072',
      stageKey: expect.stringMatching(/^[0-9a-f]{64}$/),
      stageKeyBefore: expect.stringMatching(/^[0-9a-f]{64}$/),
      differences: ['shardBytes: 65536 → 131072'],
      recordedBy: changed.runId,
    };
    expect(await explain({ runId: changed.runId, store })).toEqual([expected]);
    expect(await explain(changed)).toEqual([expected]);
    for (const where of [{ store }, { client: night.client }])
      await expect(explain({ runId: changed.runId, node: 'imprt', ...where })).rejects.toMatchObject({
        code: 'node-missing',
        message: expect.stringMatching(/ \(nearest: import\), found "imprt"/) as string,
      });
  });

  it('is told of a reused one by whose result it is', async () => {
    expect(await explain(again)).toMatchObject([
      { status: 'reused', differences: [], recordedBy: first.runId, why: `recorded by run ${first.runId}` },
    ]);
  });

  it('is not told of a run that the store does not know', async () => {
    const request = { runId: files.newRunId(), store };
    await expect(explain(request)).rejects.toMatchObject({ code: 'run-missing' });
    await expect(explain({ ...request, store: undefined, client: night.client })).rejects.toMatchObject({
      code: 'run-missing',
    });
  });
});

describe('the log of a run', () => {
  it('tells in the order of time who did what, and how it ended', async () => {
    const entries = await runLog(failed);
    expect(entries.map(({ type }) => type)).toEqual([
      'run-started',
      'scheduled',
      'started',
      'completed',
      'scheduled',
      'started',
      'failed',
      'run-ended',
    ]);
    expect(entries.map(({ atMs }) => atMs)).toEqual(entries.map(({ atMs }) => atMs).sort((a, b) => a - b));
    expect(entries.at(-2)).toMatchObject({
      node: 'import',
      part: 'stage',
      worker: expect.stringContaining('nightstill-io@'),
      failure: { code: 'dataset-empty' },
    });
    expect(entries.at(-1)).toMatchObject({ status: 'failed', failure: { code: 'dataset-empty' } });
  });
});
