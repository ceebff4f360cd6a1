/** Runs that are watched while workers come, die and are missing, and while the server goes away. */
import { RunHandle, watch } from '../../client/index.js';
import { jsonLines, putObject } from '../support/datasets.js';
import { NightFiles } from '../support/night-files.js';
import { importPlan, Night } from '../support/night.js';
import type { RunningProcess } from '../support/processes.js';
import { S3Server } from '../support/s3-server.js';
import { SlowProxy } from '../support/slow-proxy.js';
import { Watching } from '../support/watching.js';

const promisedMs = 10_000;

let files: NightFiles;
let s3: S3Server;
let night: Night;
let proxy: SlowProxy;
let slowDataset: string;

beforeAll(async () => {
  files = await NightFiles.create();
  s3 = await S3Server.start();
  night = await Night.begin(s3.environment);
  proxy = await SlowProxy.start(s3.endpoint, 700_000);
  slowDataset = s3.url('datasets/slow.jsonl', proxy.endpoint);
  await putObject(s3.url('datasets'), 'slow.jsonl', jsonLines(6_000_000, 9));
});

afterAll(async () => {
  await proxy.stop();
  await night.end();
  await s3.stop();
  await files.remove();
});

describe('a run that is watched', () => {
  let io: RunningProcess;

  it('says within ten seconds which worker is missing and what starts one, and goes on when it is there', async () => {
    const handle = await night.start(
      files.newRunId(),
      importPlan({ store: files.newStore(), dataset: await files.newDataset() }),
    );
    const watching = new Watching(handle);
    expect(await watching.sees('no-worker', () => true, promisedMs)).toEqual({
      type: 'no-worker',
      queue: 'nightstill-orchestrator',
      role: 'orchestrator',
      command: 'nightstill worker --role orchestrator',
      nodes: [],
    });
    await night.addWorker('orchestrator');
    expect(await watching.sees('plan')).toMatchObject({ plan: 'nightly', nodes: [{ id: 'import', uses: 'import' }] });
    await watching.sees('worker-found', ({ queue }) => queue === 'nightstill-orchestrator');
    expect(await watching.sees('no-worker', ({ role }) => role === 'io', promisedMs)).toMatchObject({
      command: 'nightstill worker --role io',
      nodes: ['import'],
    });
    io = await night.addWorker('io');
    await watching.over;
    expect(watching.types).toContain('worker-found');
    expect(watching.events.at(-1)).toEqual({ type: 'end', status: 'completed', result: await handle.result() });
    const statuses = watching.events.flatMap((event) => (event.type === 'node' ? [event.node.status] : []));
    expect(statuses.at(-1)).toBe('done');
  });

  it('shows how far its work is, who does it, and after a kill the next attempt with what ended the last', async () => {
    const handle = await night.start(files.newRunId(), importPlan({ store: files.newStore(), dataset: slowDataset }));
    const watching = new Watching(handle);
    const { activity } = await watching.sees(
      'progress',
      ({ activity: { progress } }) => progress?.durable !== undefined,
    );
    expect(activity).toMatchObject({
      state: 'working',
      attempt: 1,
      worker: expect.stringContaining(`#${io.pid}`),
      progress: { phase: expect.any(String), durable: { step: expect.any(Number) } },
    });
    io.signal('SIGKILL');
    await io.exited;
    io = await night.addWorker('io');
    const second = await watching.sees('progress', (event) => event.activity.attempt > 1);
    expect(second.activity.lastFailure).toMatchObject({ code: 'heartbeat-timeout' });
    await watching.over;
    expect(watching.events.at(-1)).toMatchObject({ type: 'end', status: 'completed' });
  });

  it('says that the worker of a stage was killed long before Temporal misses the heartbeats of the stage', async () => {
    const patient = { timeouts: { heartbeatMs: 600_000 } };
    const stages = [
      { id: 'import', uses: 'import', with: { dataset: slowDataset, shardBytes: 64 * 1024 }, ...patient },
    ];
    const handle = await night.start(files.newRunId(), { name: 'nightly', store: files.newStore(), stages });
    const watching = new Watching(handle);
    await watching.sees('progress', ({ activity: { progress } }) => progress?.durable !== undefined);
    await night.spoken(io, 'io');
    io.signal('SIGKILL');
    await io.exited;
    const killed = expect.stringContaining(`#${io.pid}`);
    const missing = await watching.sees('no-worker', ({ role }) => role === 'io', 60_000);
    expect(missing).toMatchObject({ nodes: ['import'], lastWorker: killed });
    expect(await night.pending(handle.runId, 'import')).toMatchObject({ started: true, attempt: 1 });
    await night.client.workflow.getHandle(handle.runId).terminate();
    await watching.over;
    io = await night.addWorker('io');
  });

  it('is seen again when the server comes back, and nothing that happened is missed', async () => {
    const handle = await night.start(files.newRunId(), importPlan({ store: files.newStore(), dataset: slowDataset }));
    const watching = new Watching(handle);
    await watching.sees('progress');
    await night.temporal.kill();
    expect(await watching.sees('reconnecting')).toMatchObject({ failure: { code: 'temporal-unavailable' } });
    await night.temporal.restart();
    await watching.sees('reconnected');
    await watching.over;
    expect(watching.events.at(-1)).toMatchObject({ type: 'end', status: 'completed' });
    expect(watching.types.filter((type) => type === 'plan')).toHaveLength(1);
  });

  it('ends with the code of what it failed with', async () => {
    const dataset = await files.newDataset('');
    const handle = await night.start(files.newRunId(), importPlan({ store: files.newStore(), dataset }));
    const watching = new Watching(handle);
    await watching.over;
    expect(watching.events.at(-1)).toMatchObject({ type: 'end', status: 'failed', failure: { code: 'dataset-empty' } });
    expect(watching.events.findLast(({ type }) => type === 'node')).toMatchObject({
      node: { id: 'import', status: 'failed', why: expect.stringContaining('dataset-empty') },
    });
  });

  it('goes on when whoever watches it leaves', async () => {
    const handle = await night.start(files.newRunId(), importPlan({ store: files.newStore(), dataset: slowDataset }));
    const leaving = new AbortController();
    const watching = new Watching(handle, { signal: leaving.signal });
    await watching.sees('progress');
    leaving.abort();
    await watching.over;
    expect(watching.types).not.toContain('end');
    for await (const event of watch(handle)) if (event.type === 'plan') break;
    expect((await handle.result()).nodes['import']).toBeDefined();
  });

  it('that is none is refused, as is a workflow of somebody else', async () => {
    const workflowId = files.newRunId();
    await night.client.workflow.start('theirs', { workflowId, taskQueue: 'theirs' });
    for (const runId of [files.newRunId(), workflowId]) {
      const watching = new Watching(new RunHandle(night.client, runId));
      await expect(watching.over).rejects.toMatchObject({ code: 'run-missing' });
    }
  });
});
