/** Worker processes with stages of a user's own, and how they end. */
import { NightFiles } from '../support/night-files.js';
import { Night } from '../support/night.js';
import { compiledPath, isAlive, until } from '../support/processes.js';

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
    expect(worker.output()).toContain(`${'stage-endless'}: expected every stage to end within 1000 ms`);
    await handle.cancel();
  });
});
