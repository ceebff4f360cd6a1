/**
 * The seam that everything rests on: Temporal × child process × fence × store. Each part is killed while an import is in
 * flight (its child has reported a durable checkpoint and not the end); the import must come out as if nothing had happened.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunResult } from '../../client/index.js';
import { lookupResult, openObjectStore } from '../../storage/index.js';
import { countObjects, importPlan, Night } from '../support/night.js';
import { jsonLines, putObject } from '../support/datasets.js';
import { isAlive, stateOf, until, type RunningProcess } from '../support/processes.js';
import { S3Server } from '../support/s3-server.js';
import { SlowProxy } from '../support/slow-proxy.js';

const run = promisify(execFile);

const datasetBytes = 4 * 1024 * 1024;
/** Until it is disturbed the import would take about 17 s, so that it is in flight on a busy machine too. */
const slowBytesPerSecond = 250_000;
/** Afterwards it takes up to 6 s more; a checkpoint is taken every 2 s. */
const laterBytesPerSecond = 700_000;
const unlimited = 1_000_000_000;

let s3: S3Server;
let proxy: SlowProxy;
let night: Night;
let io: RunningProcess;
let undisturbed: { readonly digest: string; readonly objects: Readonly<Record<string, number>> };

const storeOf = (runId: string): string => s3.url(`stores/${runId}`);
const planOf = (runId: string) =>
  importPlan({ store: storeOf(runId), dataset: s3.url('datasets/rows.jsonl', proxy.endpoint) });

async function startSlowly(runId: string) {
  proxy.bytesPerSecond = slowBytesPerSecond;
  const handle = await night.start(runId, planOf(runId));
  return { handle, runId };
}

/**
 * The claims of every scenario: the same artifact, one result, no object twice, no process left. The fence counts the
 * processes that claimed the stage: two or more prove that the first was interrupted before its end.
 */
async function expectUndisturbed(runId: string, result: Promise<RunResult>, claims = 2) {
  proxy.bytesPerSecond = laterBytesPerSecond;
  const { nodes } = await result;
  expect(nodes['import']).toMatchObject({ reused: false, outputs: { dataset: { digest: undisturbed.digest } } });
  expect(await countObjects(storeOf(runId))).toEqual(undisturbed.objects);
  expect(await fenceOf(runId, nodes['import']?.stageKey)).toBeGreaterThanOrEqual(claims);
  await until('the end of every orphan', () => night.orphans().length === 0, 10_000);
}

async function fenceOf(runId: string, stageKey = ''): Promise<number> {
  const store = await openObjectStore(storeOf(runId));
  try {
    return (await lookupResult(store, stageKey))?.fence ?? 0;
  } finally {
    await store.close();
  }
}

beforeAll(async () => {
  s3 = await S3Server.start();
  proxy = await SlowProxy.start(s3.endpoint, unlimited);
  night = await Night.begin(s3.environment);
  await putObject(s3.url('datasets'), 'rows.jsonl', jsonLines(datasetBytes));
  [io] = await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
  const { nodes } = await (await night.start('undisturbed', planOf('undisturbed'))).result();
  const digest = nodes['import']?.outputs['dataset']?.digest;
  if (digest === undefined) throw new Error('expected an artifact');
  undisturbed = { digest, objects: await countObjects(storeOf('undisturbed')) };
});

afterAll(async () => {
  proxy.bytesPerSecond = unlimited;
  await night.end();
  await proxy.stop();
  await s3.stop();
});

describe('an import in flight', () => {
  it('goes on when its child process is killed', async () => {
    const { handle, runId } = await startSlowly('kill-child');
    await night.inFlight(runId, 'import');
    process.kill(await night.childOf(io), 'SIGKILL');
    await expectUndisturbed(runId, handle.result());
  });

  it('goes on in another worker when its worker is killed, and the child ends with its parent', async () => {
    const { handle, runId } = await startSlowly('kill-worker');
    await night.inFlight(runId, 'import');
    const child = await night.childOf(io);
    io.signal('SIGKILL');
    await io.exited;
    await until('the end of the child', () => !isAlive(child), 5000);
    io = await night.addWorker('io');
    await expectUndisturbed(runId, handle.result());
  });

  it('goes on when the Temporal server is killed and started again over its database', async () => {
    const { handle, runId } = await startSlowly('kill-temporal');
    await night.inFlight(runId, 'import');
    await night.temporal.kill();
    await night.temporal.restart();
    expect(await night.pending(runId, 'import')).toBeDefined();
    await expectUndisturbed(runId, handle.result(), 1);
  });

  it('goes on when the S3 server is killed and started again over its directory', async () => {
    const { handle, runId } = await startSlowly('kill-s3');
    await night.inFlight(runId, 'import');
    await s3.kill();
    expect(await night.pending(runId, 'import')).toBeDefined();
    await s3.restart();
    await expectUndisturbed(runId, handle.result(), 1);
  });

  it('goes on from its checkpoints when the workflow is reset to its beginning', async () => {
    const { handle, runId } = await startSlowly('reset-workflow');
    await night.inFlight(runId, 'import');
    await temporal('workflow', 'reset', '--workflow-id', runId, '--type', 'FirstWorkflowTask', '--reason', 'test');
    await expectUndisturbed(runId, handle.result());
  });

  it('goes on from its checkpoints when the activity is reset', async () => {
    const { handle, runId } = await startSlowly('reset-activity');
    await night.inFlight(runId, 'import');
    const child = await night.childOf(io);
    await temporal('activity', 'reset', '--workflow-id', runId, '--activity-id', 'import', '--reset-heartbeats');
    await until('the end of the first child', () => !isAlive(child));
    await expectUndisturbed(runId, handle.result());
  });

  it('is not disturbed by a stopped worker and child that wake after their successor has finished', async () => {
    const { handle, runId } = await startSlowly('zombie');
    await night.inFlight(runId, 'import');
    const zombie = io;
    const child = await night.childOf(zombie);
    for (const pid of [zombie.pid, child]) process.kill(pid, 'SIGSTOP');
    io = await night.addWorker('io');
    await handle.result();
    expect([stateOf(zombie.pid), stateOf(child)]).toEqual(['T', 'T']);
    for (const pid of [zombie.pid, child]) process.kill(pid, 'SIGCONT');
    await until('the end of the zombie child', () => !isAlive(child), 30_000);
    zombie.signal('SIGTERM');
    await zombie.exited;
    await expectUndisturbed(runId, handle.result());
  });

  it('is not disturbed by a stopped child that wakes after its worker was killed and its successor has finished', async () => {
    const { handle, runId } = await startSlowly('orphan');
    await night.inFlight(runId, 'import');
    const child = await night.childOf(io);
    process.kill(child, 'SIGSTOP');
    io.signal('SIGKILL');
    io = await night.addWorker('io');
    await handle.result();
    expect(stateOf(child)).toBe('T');
    process.kill(child, 'SIGCONT');
    await until('the end of the orphan', () => !isAlive(child), 5000);
    await expectUndisturbed(runId, handle.result());
  });
});

async function temporal(...commandLine: readonly string[]): Promise<void> {
  await run(night.temporal.binary, [...commandLine, '--address', night.temporal.address]);
}
