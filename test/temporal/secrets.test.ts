/**
 * Secrets are planted where workers find theirs, and looked for wherever a run leaves something: history, heartbeats, logs,
 * objects of the store, arguments of processes. They are used, not only present: the S3 server takes no others.
 */
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { report } from '../../client/index.js';
import { openObjectStore } from '../../storage/index.js';
import { describedTeacher, planOfAnswers, promptLines } from '../support/answers.js';
import { CountingTeacher } from '../support/counting-teacher.js';
import { jsonLines, putObject } from '../support/datasets.js';
import { NightFiles } from '../support/night-files.js';
import { importPlan, Night } from '../support/night.js';
import { commandLineOf, descendantsOf, environmentOf, until, type RunningProcess } from '../support/processes.js';
import { S3Server } from '../support/s3-server.js';
import { SlowProxy } from '../support/slow-proxy.js';
import { bytesOf, keysOf } from '../support/stage.js';

const credentials = { AWS_ACCESS_KEY_ID: 'CANARYKEYID7D2F', AWS_SECRET_ACCESS_KEY: 'canary-secret-93ac' };
/** A server without TLS and without authorization takes any key; it is sent with every call. */
const temporalKey = { TEMPORAL_API_KEY: 'canary-api-key-11d8', TEMPORAL_TLS: 'false' };
/** For the host that it may go to. */
const teacherKey = { NIGHTSTILL_SECRET_TEACHER: 'canary-teacher-27ee', NIGHTSTILL_SECRET_TEACHER_HOSTS: '127.0.0.1' };
const inUrl = 'canary-in-url-64b0';
const ofWorkers = [...Object.values(credentials), temporalKey.TEMPORAL_API_KEY, teacherKey.NIGHTSTILL_SECRET_TEACHER];
const secrets = [...ofWorkers, inUrl];

let files: NightFiles;
let s3: S3Server;
let proxy: SlowProxy;
let night: Night;
let workers: RunningProcess[];

beforeAll(async () => {
  files = await NightFiles.create();
  s3 = await S3Server.start(credentials);
  proxy = await SlowProxy.start(s3.endpoint, 500_000);
  night = await Night.begin({ ...s3.environment, ...temporalKey, ...teacherKey });
  workers = await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await proxy.stop();
  await s3.stop();
  await files.remove();
});

/** With whatever is base64 decoded as well. */
function readable(text: string): string {
  const encoded = [...text.matchAll(/"([A-Za-z0-9+/]{8,}={0,2})"/g)];
  return [text, ...encoded.map(([, data = '']) => Buffer.from(data, 'base64').toString('latin1'))].join('\n');
}

const found = (text: string): string[] => secrets.filter((secret) => text.includes(secret));

async function heldByTemporal(runId: string): Promise<string> {
  const handle = night.client.workflow.getHandle(runId);
  const { raw } = await handle.describe();
  return readable(historyToJSON(await handle.fetchHistory()) + JSON.stringify(raw));
}

/** Keys and bytes of all objects. */
async function heldByStore(url: string): Promise<string> {
  const store = await openObjectStore(url);
  try {
    const keys = await keysOf(store);
    expect(keys.length).toBeGreaterThan(3);
    return [
      ...keys,
      ...(await Promise.all(keys.map(async (key) => (await bytesOf(store, key)).toString('latin1')))),
    ].join();
  } finally {
    await store.close();
  }
}

const logs = (): string => workers.map((worker) => worker.output()).join('\n');

describe('secrets of workers', () => {
  it('stand in nothing that a run leaves behind, nor in what it shows while it works', async () => {
    await putObject(s3.url('datasets'), 'rows.jsonl', jsonLines(2_000_000));
    const store = s3.url('store');
    const runId = files.newRunId();
    const handle = await night.start(
      runId,
      importPlan({ store, dataset: s3.url('datasets/rows.jsonl', proxy.endpoint) }),
    );
    await night.inFlight(runId, 'import');
    const processes = workers.flatMap(({ pid }) => [pid, ...descendantsOf(pid)]);
    expect(processes.length).toBe(3);
    // They are there to be found: every process has them, and its arguments have not.
    for (const pid of processes) {
      expect(found(environmentOf(pid))).toEqual(ofWorkers);
      expect(found(commandLineOf(pid))).toEqual([]);
    }
    expect(found(await heldByTemporal(runId))).toEqual([]);
    await handle.result();
    expect(found(await heldByTemporal(runId))).toEqual([]);
    expect(found(await heldByStore(store))).toEqual([]);
    expect(found(logs())).toEqual([]);
  });

  it('stand in nothing that a teacher has answered, nor in the report of it, though it was asked with its key', async () => {
    const teacher = await CountingTeacher.start();
    try {
      await putObject(s3.url('datasets'), 'prompts.jsonl', promptLines(40));
      const store = s3.url('answers');
      const runId = files.newRunId();
      const given = { ...describedTeacher, endpoint: teacher.endpoint, apiKey: 'teacher' };
      teacher.delayMs = 50;
      const plan = planOfAnswers({ store, dataset: s3.url('datasets/prompts.jsonl'), teacher: given });
      const handle = await night.start(runId, plan);
      await until('calls', () => teacher.asked.length > 0);
      for (const pid of workers.flatMap((worker) => [worker.pid, ...descendantsOf(worker.pid)]))
        expect(found(commandLineOf(pid))).toEqual([]);
      await handle.result();
      expect(teacher.asked[0]?.headers.authorization).toBe(`Bearer ${teacherKey.NIGHTSTILL_SECRET_TEACHER}`);
      expect(found(await heldByTemporal(runId))).toEqual([]);
      expect(found(await heldByStore(store))).toEqual([]);
      expect(found(JSON.stringify(await report({ runId, store })))).toEqual([]);
      expect(found(logs())).toEqual([]);
    } finally {
      await teacher.stop();
    }
  });

  it('stand in no failure either: of a bucket, an object or a place that cannot be reached', async () => {
    const datasets = [
      s3.url('datasets/none.jsonl'),
      s3.url('datasets/rows.jsonl').replace('nightstill-test', 'no-such-bucket'),
    ];
    for (const dataset of datasets) {
      const runId = files.newRunId();
      const handle = await night.start(runId, importPlan({ store: s3.url('store'), dataset }));
      const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: expect.stringMatching(/^(dataset|store)-/) });
      expect(found(String(error))).toEqual([]);
      expect(found(await heldByTemporal(runId))).toEqual([]);
    }
    expect(found(logs())).toEqual([]);
  });
});

describe('a plan with credentials in a URL', () => {
  const places = {
    'the store': { store: `s3://key:${inUrl}@bucket/prefix` },
    'an option': { dataset: `s3://bucket/rows.jsonl?endpoint=${encodeURIComponent(`http://key:${inUrl}@host`)}` },
  };

  it.each(Object.entries(places))('(%s) is refused before it is given to Temporal', async (_, where) => {
    const runId = files.newRunId();
    const plan = importPlan({ store: 'file:///store', dataset: 'file:///rows.jsonl', ...where });
    const refusal: unknown = await night.start(runId, plan).catch((thrown: unknown) => thrown);
    expect(refusal).toMatchObject({ code: 'plan-invalid' });
    expect(found(String(refusal))).toEqual([]);
    await expect(night.client.workflow.getHandle(runId).describe()).rejects.toThrow(/not found/i);
  });

  it.each(Object.entries(places))('(%s) that is started by hand is not repeated by its failure', async (_, where) => {
    const workflowId = files.newRunId();
    const file = importPlan({ store: 'file:///store', dataset: 'file:///rows.jsonl', ...where });
    const start = { workflowId, taskQueue: 'nightstill-orchestrator', args: [{ file }] };
    await expect(night.client.workflow.execute('distill', start)).rejects.toMatchObject({
      cause: { type: 'plan-invalid' },
    });
    // Whoever started it has put it into the first event, and the file is handed to whoever judges it.
    const { events } = JSON.parse(historyToJSON(await night.client.workflow.getHandle(workflowId).fetchHistory())) as {
      events: { eventType: string }[];
    };
    const handedOn = ['EVENT_TYPE_WORKFLOW_EXECUTION_STARTED', 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED'];
    const rest = events.filter(({ eventType }) => !handedOn.includes(eventType));
    expect(rest.length).toBe(events.length - 2);
    expect(found(readable(JSON.stringify(rest)))).toEqual([]);
    expect(found(logs())).toEqual([]);
  });
});
