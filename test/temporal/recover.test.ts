/** Every command of docs/recover.md does what the page says, on a run in flight. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { status, type RunHandle } from '../../client/index.js';
import { jsonLines, putObject } from '../support/datasets.js';
import { NightFiles } from '../support/night-files.js';
import { countObjects, importPlan, Night } from '../support/night.js';
import { until } from '../support/processes.js';
import { S3Server } from '../support/s3-server.js';
import { SlowProxy } from '../support/slow-proxy.js';

let files: NightFiles;
let s3: S3Server;
let night: Night;
let proxy: SlowProxy;
let dataset: string;
let commands: ReadonlyMap<string, string>;

beforeAll(async () => {
  files = await NightFiles.create();
  s3 = await S3Server.start();
  night = await Night.begin(s3.environment);
  await Promise.all([night.addWorker('orchestrator'), night.addWorker('io')]);
  proxy = await SlowProxy.start(s3.endpoint, 700_000);
  dataset = s3.url('datasets/slow.jsonl', proxy.endpoint);
  await putObject(s3.url('datasets'), 'slow.jsonl', jsonLines(6_000_000, 9));
  const page = await readFile(join(import.meta.dirname, '../../docs/recover.md'), 'utf8');
  commands = new Map([...page.matchAll(/```sh (\S+)\n(.+?)\n```/gs)].map(([, name = '', text = '']) => [name, text]));
});

afterAll(async () => {
  await proxy.stop();
  await night.end();
  await s3.stop();
  await files.remove();
});

const tried = new Set<string>();

/** Runs a command of the page as a shell would, with the binary of this night's server. */
async function follow(name: string, run: RunHandle): Promise<void> {
  tried.add(name);
  const text = (commands.get(name) ?? 'exit 1').replace(/^temporal /, `"${night.temporal.binary}" `);
  const names = { RUN: run.runId, NODE: 'import' };
  const environment = { ...process.env, ...names, TEMPORAL_ADDRESS: night.temporal.address };
  await promisify(execFile)('sh', ['-ec', text], { env: environment });
}

async function slowRun(): Promise<{ run: RunHandle; store: string }> {
  const store = files.newStore();
  const run = await night.start(files.newRunId(), importPlan({ store, dataset }));
  await night.inFlight(run.runId, 'import');
  return { run, store };
}

const activityOf = async (run: RunHandle) => (await status(run)).nodes[0]?.activity;

describe('docs/recover.md', () => {
  it('pauses a node, which keeps its checkpoint, and lets it go on', async () => {
    const { run } = await slowRun();
    await follow('pause', run);
    const paused = await until('a pause', async () => {
      const activity = await activityOf(run);
      return activity?.state === 'paused' && activity;
    });
    expect(paused.progress?.durable?.step).toBeGreaterThan(0);
    await follow('unpause', run);
    expect((await run.result()).nodes['import']).toMatchObject({ reused: false });
  });

  it('begins another attempt at once, which goes on from the checkpoint', async () => {
    const { run, store } = await slowRun();
    const before = await activityOf(run);
    await follow('reset-node', run);
    const after = await until('another attempt', async () => {
      const activity = await activityOf(run);
      return (
        activity !== undefined &&
        activity.startedAtMs !== undefined &&
        activity.startedAtMs !== before?.startedAtMs &&
        activity
      );
    });
    expect(after).toMatchObject({ state: 'working', attempt: 2 });
    await run.result();
    expect(await countObjects(store)).toMatchObject({ results: 1, heads: 1 });
  });

  it('runs a workflow again from its first step, and what was recorded is reused', async () => {
    const { run, store } = await slowRun();
    const first = await run.result();
    await follow('reset-run', run);
    await until('the end of the second execution', async () => {
      const { status: its, nodes } = await status(run);
      return its === 'completed' && nodes[0]?.status === 'reused';
    });
    expect((await run.result()).nodes['import']?.outputs).toEqual(first.nodes['import']?.outputs);
    expect(await countObjects(store)).toMatchObject({ results: 1 });
  });

  it('terminates a run, which goes on from its checkpoint when it is started again', async () => {
    const { run, store } = await slowRun();
    await follow('terminate', run);
    await expect(run.result()).rejects.toMatchObject({ code: 'run-terminated' });
    const again = await night.start(run.runId, importPlan({ store, dataset }));
    expect((await again.result()).nodes['import']).toMatchObject({ reused: false });
    expect(await countObjects(store)).toMatchObject({ results: 1, heads: 1 });
  });

  it('names no command that was not tried', () => {
    expect([...tried].sort()).toEqual([...commands.keys()].sort());
  });
});
