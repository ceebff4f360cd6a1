/** A run that was asked to end is cancelled, whatever its stages come to meanwhile: here, of a worker that died before it could hear of it. */
import { describeSchedule, status, triggerSchedule, upsertSchedule, type RunHandle } from '../../client/index.js';
import { openObjectStore, readRun, type JsonObject } from '../../storage/index.js';
import { NightFiles } from '../support/night-files.js';
import { nightOf } from '../support/night-of.js';
import { Night } from '../support/night.js';
import { compiledPath, until, type RunningProcess } from '../support/processes.js';

const ownStages = ['--stages', compiledPath('test/support/own-stages.js')];

let files: NightFiles;
let night: Night;
let io: RunningProcess;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await Night.begin();
  await night.addWorker('orchestrator', ownStages);
});

beforeEach(async () => {
  io = await night.addWorker('io', ownStages);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

/** Its stage counts for longer than any test. */
const planIn = (store: string, top: JsonObject = {}): JsonObject => ({
  name: 'counted',
  store,
  ...top,
  stages: [{ id: 'counter', uses: 'counter', with: { until: 100_000 }, timeouts: { heartbeatMs: 2000 } }],
});

async function killWorkerOf({ runId }: RunHandle): Promise<void> {
  await until('the stage at work', async () => {
    const stage = await night.pending(runId, 'counter').catch(() => undefined);
    return stage?.started && stage.done > 0;
  });
  io.signal('SIGKILL');
  await io.exited;
}

async function outcomeOf(url: string, runId: string): Promise<unknown> {
  const store = await openObjectStore(url);
  try {
    return (await readRun(store, runId))?.outcome;
  } finally {
    await store.close();
  }
}

it('a run whose worker is dead is cancelled; its record keeps what happened to its stage', async () => {
  const store = files.newStore();
  const run = await night.start(files.newRunId(), planIn(store));
  await killWorkerOf(run);
  await run.cancel();
  await expect(run.result()).rejects.toMatchObject({ code: 'run-cancelled' });
  expect(await status(run)).toMatchObject({ status: 'cancelled', failure: { code: 'run-cancelled' } });
  expect(await outcomeOf(store, run.runId)).toMatchObject({ status: 'cancelled', failure: { code: 'stage-stuck' } });
});

it('the schedule of such a run goes on', async () => {
  const { client } = night;
  const schedule = { cron: '0 3 1 1 *' };
  await upsertSchedule({ client, file: planIn(files.newStore(), { name: 'counts', schedule }) });
  const run = await triggerSchedule({ client, name: 'counts' });
  await killWorkerOf(run);
  await run.cancel();
  const { runId } = run;
  const end = await (await nightOf(client, 'counts', runId)).result();
  expect(end).toMatchObject({ status: 'cancelled', run: runId });
  expect(await describeSchedule({ client, name: 'counts' })).toMatchObject({ paused: false });
});
