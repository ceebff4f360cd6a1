/** Worker processes with stages of a user's own, and how they end. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { NightFiles } from '../support/night-files.js';
import { countObjects, Night } from '../support/night.js';
import { compiledPath, isAlive, startProgram, until, type RunningProcess } from '../support/processes.js';

let files: NightFiles;
let night: Night;
const ownStages = ['--stages', compiledPath('test/support/own-stages.js')];
const timeouts = { heartbeatMs: 2000 };

beforeAll(async () => {
  files = await NightFiles.create();
  night = await Night.begin();
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

/** A plan of stages that need nothing. */
const planOf = (store: string, nodes: Readonly<Record<string, { uses: string; with?: object }>>) => ({
  name: 'own',
  store,
  stages: Object.entries(nodes).map(([id, { uses, with: options = {} }]) => ({
    id,
    uses,
    with: { ...options },
    timeouts,
  })),
});

describe('a worker process', () => {
  it('serves several roles over one connection, and one SIGTERM ends them all', async () => {
    const worker = await night.addWorker('io', ['--role', 'orchestrator,io,gpu', ...ownStages]);
    const log = `${files.directory}/several.log`;
    const nodes = { count: { uses: 'counter', with: { until: 2 } }, log: { uses: 'logged', with: { name: 'a', log } } };
    const handle = await night.start(files.newRunId(), planOf(files.newStore(), nodes));
    const result = await handle.result();
    expect(Object.keys(result.nodes)).toEqual(['count', 'log']);
    worker.signal('SIGTERM');
    await worker.exited;
    expect(worker.output().match(/worker ready/g)).toHaveLength(3);
  });

  it('keeps the bundle of its workflows for the next start, and does without where it cannot', async () => {
    const start = async (cache: string) => {
      const environment = { TEMPORAL_ADDRESS: night.temporal.address, NIGHTSTILL_CACHE: cache };
      const worker = await startProgram('workers/orchestrator.js', [], environment, 'worker ready');
      worker.signal('SIGTERM');
      await worker.exited;
    };
    const cache = `${files.directory}/cache`;
    await start(cache);
    const [bundle = '', ...others] = await readdir(`${cache}/workflow-bundles`);
    expect([bundle, others]).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.js$/), []]);
    const { mtimeMs } = await stat(`${cache}/workflow-bundles/${bundle}`);
    await start(cache);
    expect((await stat(`${cache}/workflow-bundles/${bundle}`)).mtimeMs).toBe(mtimeMs);
    await start('/dev/null/nowhere');
  });

  it('tells Temporal its role, host, process and device', async () => {
    const worker = await night.addWorker('gpu', ['--devices', 'cpu']);
    const identities = await until('a poller', async () => {
      const { pollers } = await night.client.workflowService.describeTaskQueue({
        namespace: 'default',
        taskQueue: { name: 'nightstill-gpu' },
        taskQueueType: 2,
      });
      const found = pollers?.map(({ identity }) => identity ?? '').filter((name) => name.includes(`#${worker.pid}`));
      return found?.length === 0 ? undefined : found;
    });
    expect(identities).toEqual([expect.stringMatching(/^nightstill-gpu@[^#]+#\d+\/cpu$/)]);
    worker.signal('SIGTERM');
    await worker.exited;
  });

  it('ends without a stage that does not heed it, after the time that it gives, and says so', async () => {
    const worker = await night.addWorker('io', ['--role', 'orchestrator,io', '--end-within', '1', ...ownStages]);
    const runId = files.newRunId();
    const handle = await night.start(runId, planOf(files.newStore(), { stubborn: { uses: 'stubborn' } }));
    await until('the stage at work', async () => {
      const { raw } = await night.client.workflow.getHandle(runId).describe();
      return (
        raw.pendingActivities?.[0]?.heartbeatDetails !== null && raw.pendingActivities?.[0]?.activityId === 'stubborn'
      );
    });
    worker.signal('SIGTERM');
    await until('the end of the worker', () => !isAlive(worker.pid), 20_000);
    expect(worker.output()).toContain(`${'stage-endless'}: expected every stage to end within 1.0 s`);
    await handle.cancel();
  });
});

describe('stages that need nothing of each other', () => {
  const events = async (log: string) => (await readFile(log, 'utf8')).trimEnd().split('\n');
  const end = async (...workers: readonly RunningProcess[]): Promise<void> => {
    for (const worker of workers) worker.signal('SIGTERM');
    await Promise.all(workers.map(({ exited }) => exited));
  };
  const logged = (log: string, name: string, meets?: string) => ({
    uses: 'logged',
    with: { name, log, ...(meets !== undefined && { meets }) },
  });

  it('run side by side when two gpu workers are there: each of them waits until the other has begun', async () => {
    const workers = await Promise.all([
      night.addWorker('orchestrator', ownStages),
      night.addWorker('gpu', ownStages),
      night.addWorker('gpu', ownStages),
    ]);
    const log = `${files.directory}/side-by-side.log`;
    const nodes = { a: logged(log, 'a', 'b'), b: logged(log, 'b', 'a') };
    await (await night.start(files.newRunId(), planOf(files.newStore(), nodes))).result();
    expect((await events(log)).map((event) => event.split(' ')[0])).toEqual(['begin', 'begin', 'end', 'end']);
    await end(...workers);
  });

  it('queue for the one slot of one gpu worker, also those of two runs, and all are done', async () => {
    const worker = await night.addWorker('gpu', ['--role', 'orchestrator,gpu', '--devices', 'cpu', ...ownStages]);
    const log = `${files.directory}/one-by-one.log`;
    const plan = (first: string, second: string) =>
      planOf(files.newStore(), { [first]: logged(log, first), [second]: logged(log, second) });
    const runs = [plan('a', 'b'), plan('c', 'd')].map((file) => night.start(files.newRunId(), file));
    await Promise.all((await Promise.all(runs)).map((run) => run.result()));
    const seen = await events(log);
    expect(seen.toSorted()).toEqual(
      ['a', 'b', 'c', 'd'].flatMap((name) => `begin ${name},end ${name}`.split(',')).toSorted(),
    );
    expect(seen.map((event) => event.split(' ')[0])).toEqual(Array.from({ length: 4 }, () => ['begin', 'end']).flat());
    await end(worker);
  });
});

it('a stage that returns what it does not say is refused before its result is kept', async () => {
  const worker = await night.addWorker('io', ['--role', 'orchestrator,io', ...ownStages]);
  const store = files.newStore();
  const handle = await night.start(files.newRunId(), planOf(store, { careless: { uses: 'careless' } }));
  await expect(handle.result()).rejects.toMatchObject({
    code: 'stages-invalid',
    message: expect.stringContaining('stage careless, output "count": expected count, found sum'),
  });
  expect(await countObjects(store)).toMatchObject({ results: 0 });
  worker.signal('SIGTERM');
  await worker.exited;
});
