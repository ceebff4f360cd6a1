/** Runs that are given bad input, cancelled, moved to another worker, or started twice. */
import { join } from 'node:path';
import { jsonLines, putObject } from '../support/datasets.js';
import { NightFiles } from '../support/night-files.js';
import { countObjects, importPlan, Night } from '../support/night.js';
import { isAlive, until, type RunningProcess } from '../support/processes.js';
import { S3Server } from '../support/s3-server.js';
import { SlowProxy } from '../support/slow-proxy.js';

let files: NightFiles;
let s3: S3Server;
let night: Night;
let io: RunningProcess;
let orchestrator: RunningProcess;

beforeAll(async () => {
  files = await NightFiles.create();
  s3 = await S3Server.start();
  night = await Night.begin(s3.environment);
  [io, orchestrator] = await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await s3.stop();
  await files.remove();
});

describe('bad input fails the run with its code, at the first attempt', () => {
  const bad: Record<string, [content: () => Promise<string>, code: string, message: RegExp]> = {
    'a missing file': [() => Promise.resolve(join(files.directory, 'none.jsonl')), 'dataset-missing', /none\.jsonl/],
    'an empty file': [() => files.newDataset(''), 'dataset-empty', /at least one row/],
    'a bad row': [
      () => files.newDataset('{"prompt":"q"}\n{"prompt":5}\n'),
      'dataset-row-invalid',
      /line 2: expected prompt/,
    ],
    'bytes that are not UTF-8': [
      () => files.newDataset(Buffer.from([0x22, 0xff])),
      'dataset-row-invalid',
      /expected UTF-8/,
    ],
  };

  it.each(Object.entries(bad))('%s', async (_, [dataset, code, message]) => {
    const runId = files.newRunId();
    const handle = await night.start(runId, importPlan({ store: files.newStore(), dataset: await dataset() }));
    await expect(handle.result()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    const { text } = await night.historyOf(runId);
    expect(text).not.toMatch(/"attempt": *[2-9]/);
    expect(text).toMatch(new RegExp(`"type": *"${code}"`));
  });

  it('a dataset that changes while it is read', async () => {
    const proxy = await SlowProxy.start(s3.endpoint, 500_000);
    const url = s3.url('datasets/changing.jsonl', proxy.endpoint);
    await putObject(s3.url('datasets'), 'changing.jsonl', jsonLines(2_000_000, 1));
    const runId = files.newRunId();
    const handle = await night.start(runId, importPlan({ store: files.newStore(), dataset: url }));
    await night.inFlight(runId, 'import');
    await putObject(s3.url('datasets'), 'changing.jsonl', jsonLines(2_000_000, 2));
    await expect(handle.result()).rejects.toMatchObject({ code: 'dataset-changed' });
    await proxy.stop();
  });

  it.each<[string, unknown[]]>([
    ['nothing', []],
    ['text', ['distill.yaml']],
    ['no file', [{ plan: {} }]],
    ['a plan with an unknown stage', [{ file: { name: 'n', store: 'file:///s', stages: [{ id: 'a', uses: 'b' }] } }]],
  ])('a start by hand with %s', async (_, args) => {
    const workflowId = files.newRunId();
    const start = { workflowId, taskQueue: 'nightstill-orchestrator', args };
    const end = night.client.workflow.execute('distill', start);
    await expect(end).rejects.toMatchObject({ cause: { type: 'plan-invalid', nonRetryable: true } });
    const { types } = await night.historyOf(workflowId);
    expect(types).toContain('EVENT_TYPE_WORKFLOW_EXECUTION_FAILED');
    expect(types).not.toContain('EVENT_TYPE_WORKFLOW_TASK_FAILED');
  });
});

/** For a worker that has decided before. */
const temporalWaitsForS = 10;

describe('an import in flight', () => {
  let proxy: SlowProxy;
  let dataset: string;

  beforeAll(async () => {
    proxy = await SlowProxy.start(s3.endpoint, 700_000);
    dataset = s3.url('datasets/slow.jsonl', proxy.endpoint);
    await putObject(s3.url('datasets'), 'slow.jsonl', jsonLines(4_000_000, 9));
  });

  afterAll(() => proxy.stop());

  it('leaves a checkpoint and no process when it is cancelled, and goes on from there when started again', async () => {
    const runId = files.newRunId();
    const plan = importPlan({ store: files.newStore(), dataset });
    const cancelled = await night.start(runId, plan);
    const { durableStep } = await night.inFlight(runId, 'import');
    const child = await night.childOf(io);
    await cancelled.cancel();
    await expect(cancelled.result()).rejects.toMatchObject({ code: 'run-cancelled' });
    await until('the end of the child', () => !isAlive(child));

    const again = await night.start(runId, plan);
    const resumed = await until('a first report', async () => {
      const pending = await night.pending(runId, 'import');
      return pending !== undefined && pending.durableStep > 0 && pending;
    });
    expect(resumed.durableStep).toBeGreaterThanOrEqual(durableStep);
    expect((await again.result()).nodes['import']).toMatchObject({ reused: false });
  });

  it('is decided on by another orchestrator sooner than Temporal gives up on one by itself, when that one was killed', async () => {
    const runId = files.newRunId();
    const handle = await night.start(runId, importPlan({ store: files.newStore(), dataset }));
    await night.inFlight(runId, 'import');
    orchestrator.signal('SIGKILL');
    await orchestrator.exited;
    orchestrator = await night.addWorker('orchestrator');
    await handle.result();
    const { events } = await night.client.workflow.getHandle(runId).fetchHistory();
    const waitedFor = (events ?? []).flatMap(({ workflowTaskTimedOutEventAttributes: timedOut, eventTime }) => {
      const scheduled = (events ?? []).find(({ eventId }) => String(eventId) === String(timedOut?.scheduledEventId));
      return timedOut && scheduled ? [Number(eventTime?.seconds) - Number(scheduled.eventTime?.seconds)] : [];
    });
    expect(waitedFor).toHaveLength(1);
    expect(waitedFor[0]).toBeLessThan(temporalWaitsForS);
  });

  it('ends with a checkpoint when its worker is asked to end, and another worker goes on', async () => {
    const runId = files.newRunId();
    const store = files.newStore();
    const handle = await night.start(runId, importPlan({ store, dataset }));
    await night.inFlight(runId, 'import');
    const child = await night.childOf(io);
    io.signal('SIGTERM');
    await io.exited;
    expect(isAlive(child)).toBe(false);
    io = await night.addWorker('io');
    expect((await handle.result()).nodes['import']).toMatchObject({ reused: false });
    expect(await countObjects(store)).toMatchObject({ results: 1, heads: 1 });
  });

  it('is done once when two runs want it at the same time', async () => {
    const store = files.newStore();
    const ids = [files.newRunId(), files.newRunId()];
    const handles = await Promise.all(ids.map((id) => night.start(id, importPlan({ store, dataset }))));
    await until('one run that waits for the other', async () => {
      const pending = await Promise.all(ids.map((id) => night.pending(id, 'import')));
      return pending.some((activity) => activity?.lastFailure === 'stage-busy');
    });
    const [one, other] = await Promise.all(handles.map((handle) => handle.result()));
    expect(one?.nodes['import']?.outputs).toEqual(other?.nodes['import']?.outputs);
    expect(await countObjects(store)).toMatchObject({ results: 1, heads: 1 });
  });
});
