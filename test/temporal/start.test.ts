/** Starting is idempotent, whoever starts at the same time. No worker is needed to start. */
import { runLog, start } from '../../client/index.js';
import { Night } from '../support/night.js';

let night: Night;
beforeAll(async () => {
  night = await Night.begin();
});
afterAll(() => night.end());

const plan = (name: string) => ({ name, store: 'file:///store', stages: [{ id: 'a', uses: 'import' }] });

describe('one run id, started by many at once', () => {
  it('belongs to one plan: its starters share a run, the others are refused', async () => {
    const names = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? 'first' : 'second'));
    const started = await Promise.allSettled(
      names.map((name) => start({ client: night.client, runId: 'contested', file: plan(name) })),
    );
    const codes = started.map((one) =>
      one.status === 'fulfilled' ? 'started' : (one.reason as { code: string }).code,
    );
    const [winner, loser] = codes[0] === 'started' ? ['first', 'second'] : ['second', 'first'];
    expect(codes).toEqual(names.map((name) => (name === winner ? 'started' : 'run-conflict')));
    await expect(start({ client: night.client, runId: 'contested', file: plan(loser) })).rejects.toMatchObject({
      code: 'run-conflict',
    });
    const executions: string[] = [];
    const query = 'WorkflowId = "contested"';
    for (let asked = 0; executions.length === 0 && asked < 100; asked += 1)
      for await (const { runId } of night.client.workflow.list({ query })) executions.push(runId);
    expect(executions).toHaveLength(1);
  });

  it('is started again by many after a failure, once', async () => {
    const request = { client: night.client, runId: 'failed', file: plan('again') };
    const first = await start(request);
    const handle = night.client.workflow.getHandle('failed');
    const before = (await handle.describe()).runId;
    await handle.terminate();
    await expect(first.result()).rejects.toMatchObject({ code: 'run-terminated' });
    await Promise.all(Array.from({ length: 6 }, () => start(request)));
    const { runId, status } = await handle.describe();
    expect(status.name).toBe('RUNNING');
    expect(runId).not.toBe(before);
    expect((await runLog(first)).map(({ type }) => type)).toEqual(['run-started']);
  });
});
