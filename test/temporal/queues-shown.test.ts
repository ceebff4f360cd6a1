/** Runs that say in Temporal's UI whose worker is missing, from their first stage to their end. */
import { jsonLines, putObject } from '../support/datasets.js';
import { NightFiles } from '../support/night-files.js';
import { importPlan, Night } from '../support/night.js';
import { until, type RunningProcess } from '../support/processes.js';
import { detailsOf } from '../support/run-details.js';
import { S3Server } from '../support/s3-server.js';
import { SlowProxy } from '../support/slow-proxy.js';

/** Of these 10 s are promised; the rest is for a busy machine. */
const withinMs = 20_000;
const notice = 'no worker serves nightstill-io; start one: nightstill worker --role io';

let files: NightFiles;
let s3: S3Server;
let night: Night;
let proxy: SlowProxy;
let slowDataset: string;
let orchestrator: RunningProcess;

beforeAll(async () => {
  files = await NightFiles.create();
  s3 = await S3Server.start();
  night = await Night.begin(s3.environment);
  proxy = await SlowProxy.start(s3.endpoint, 300_000);
  slowDataset = s3.url('datasets/slow.jsonl', proxy.endpoint);
  await putObject(s3.url('datasets'), 'slow.jsonl', jsonLines(6_000_000, 9));
  orchestrator = await night.addWorker('orchestrator');
});

afterAll(async () => {
  await proxy.stop();
  await night.end();
  await s3.stop();
  await files.remove();
});

const begin = (dataset: string) => night.start(files.newRunId(), importPlan({ store: files.newStore(), dataset }));

/** Waits until the UI has the notice, or has it no more. */
const shows = (runId: string, wanted: boolean, limitMs = withinMs): Promise<unknown> =>
  until(
    wanted ? 'a notice' : 'no notice',
    async () => (await detailsOf(night.client, runId)).includes(notice) === wanted,
    limitMs,
    250,
  );

async function addWorkerThatSpoke(): Promise<RunningProcess> {
  const worker = await night.addWorker('io');
  await night.spoken(worker, 'io');
  return worker;
}

async function end(worker: RunningProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  worker.signal(signal);
  await worker.exited;
}

it('says within 10 s that nobody is there for its stage, and no longer once somebody has taken it', async () => {
  const handle = await begin(await files.newDataset());
  await shows(handle.runId, true);
  expect(await handle.state()).toMatchObject({ nodes: [{ status: 'running' }], unserved: ['nightstill-io'] });
  const io = await night.addWorker('io');
  await shows(handle.runId, false);
  await handle.result();
  await end(io, 'SIGTERM');
});

it('says within 10 s that the worker of a stage was killed, whoever watched it is killed too, until another has come', async () => {
  const io = await addWorkerThatSpoke();
  const handle = await begin(slowDataset);
  await night.inFlight(handle.runId, 'import');
  expect(await detailsOf(night.client, handle.runId)).not.toContain('no worker');
  await end(io, 'SIGKILL');
  await shows(handle.runId, true);

  await end(orchestrator, 'SIGKILL');
  orchestrator = await night.addWorker('orchestrator');
  expect(await detailsOf(night.client, handle.runId)).toContain(notice);
  const another = await addWorkerThatSpoke();
  // Temporal waits 15 s for a word of the one that watched, and 5 s more.
  await shows(handle.runId, false, 40_000);
  await end(another, 'SIGKILL');
  await shows(handle.runId, true);
  await night.client.workflow.getHandle(handle.runId).terminate();
});

it('is told so by few events: what watches adds one, and one for each change', async () => {
  const io = await addWorkerThatSpoke();
  const handle = await begin(await files.newDataset());
  await handle.result();
  const { events } = await night.client.workflow.getHandle(handle.runId).fetchHistory();
  const watching = (events ?? []).filter(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityId === 'nightstill:queues',
  );
  expect(watching).toHaveLength(1);
  expect((events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes)).toEqual([]);
  await end(io, 'SIGTERM');
});
