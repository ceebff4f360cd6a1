/** Children that take long to end, of a worker in this process: what Temporal sees of them, by its own heartbeat timeout. */
import { Worker } from '@temporalio/worker';
import { z } from 'zod';
import { defineStage, StagesPlugin } from '../../plugins/index.js';
import { programs } from '../../workers/programs.js';
import { pendingActivity } from '../support/run-view.js';
import { compiledPath, descendantsOf, until } from '../support/processes.js';
import { NightFiles } from '../support/night-files.js';
import { SmallNight, smallPlan } from '../support/small-night.js';
import { smallStages } from '../support/small-stages.js';

const silenceMs = 60_000;
const behaving = defineStage({
  kind: 'behaving',
  version: 1,
  options: z.strictObject({ behaviour: z.string() }),
  outputs: { note: 'note' },
  program: 'importer',
  silenceLimitsMs: { start: silenceMs, open: silenceMs, claim: silenceMs, read: silenceMs, seal: silenceMs },
});
const entry = compiledPath('test/support/children/stage-child.js');

let files: NightFiles;
let night: SmallNight;
beforeAll(async () => {
  files = await NightFiles.create();
  night = await SmallNight.begin();
  await night.addWorker('orchestrator', undefined, [...smallStages, behaving]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

/** A worker that ends by force eight seconds after it is asked to, whose child works as told; Temporal misses it after a second. */
async function atWork(behaviour: string) {
  const plugin = new StagesPlugin({
    role: 'io',
    stages: [behaving],
    programs: { ...programs, importer: { entry } },
  });
  const { connection } = night;
  const worker = await Worker.create({
    connection,
    taskQueue: plugin.taskQueue,
    plugins: [plugin],
    shutdownForceTime: '8s',
  });
  const ended = worker.run();
  const runId = files.newRunId();
  const stage = { id: 'behaving', uses: 'behaving', with: { behaviour }, timeouts: { heartbeatMs: 1000 } };
  const handle = await night.start(runId, smallPlan(files.newStore(), [stage]));
  const pending = () => pendingActivity(night.client, runId, 'behaving');
  await until('the child at work', async () => (await pending())?.phase === 'work');
  return { worker, ended, handle, pending };
}

const children = (): number[] => descendantsOf(process.pid).filter((pid) => pid !== night.temporal.pid);

it('a child that saves for longer than Temporal bears silence is waited for, and what it made durable is known to the next attempt', async () => {
  const { worker, ended, handle, pending } = await atWork('saves for a while when asked');
  worker.shutdown();
  await ended;
  expect(await pending()).toMatchObject({ durableStep: 5, lastFailure: 'WorkerShutdown', attempt: 2 });
  expect(children()).toEqual([]);
  await handle.cancel();
});

it('a child that does not heed its worker is ended before that would end by force: the attempt is told, not missed', async () => {
  const { worker, ended, handle, pending } = await atWork('works on when asked to stop');
  worker.shutdown();
  await ended;
  expect(await pending()).toMatchObject({ lastFailure: 'WorkerShutdown', attempt: 2 });
  expect(children()).toEqual([]);
  await handle.cancel();
});
