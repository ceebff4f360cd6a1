/** What a real server says of who serves a queue, while workers come and go. */
import { queueHealth } from '../../config/queue-health.js';
import { sightQueue } from '../../config/queue-sighting.js';
import { Night } from '../support/night.js';
import { until } from '../support/processes.js';

let night: Night;
beforeAll(async () => {
  night = await Night.begin();
});
afterAll(() => night.end());

const healthOf = async (queue: string) =>
  queueHealth(await sightQueue(night.client.workflowService, 'default', queue), Date.now());

const isOf =
  (pid: number) =>
  ({ identity }: { readonly identity: string }): boolean =>
    identity.includes(`#${pid}`);

describe.each(['io', 'orchestrator'] as const)('the queue of %s workers', (role) => {
  const queue = `nightstill-${role}`;

  it('is served from the start of a worker to its end in order, and the worker is named', async () => {
    expect(await healthOf(queue)).toEqual({ served: false });
    const worker = await night.addWorker(role);
    const found = await until('a worker', async () => (await healthOf(queue)).served && healthOf(queue), 5000);
    expect(found).toMatchObject({ worker: expect.stringContaining(`nightstill-${role}@`) });
    worker.signal('SIGTERM');
    await worker.exited;
    expect(await healthOf(queue)).toMatchObject({ served: false, worker: found.worker });
  });

  it('is known not to be served soon after a worker that had spoken was killed, though its polls are remembered', async () => {
    const worker = await night.addWorker(role);
    const { workflowService } = night.client;
    const hasSpokenTwice = async () =>
      (await sightQueue(workflowService, 'default', queue)).workers.some(
        (sighted) => isOf(worker.pid)(sighted) && sighted.intervalMs < 10_000,
      );
    await until('its second word', hasSpokenTwice, 20_000);
    worker.signal('SIGKILL');
    await worker.exited;
    const { pollers } = await sightQueue(workflowService, 'default', queue);
    expect(pollers.some(isOf(worker.pid))).toBe(true);
    await until('silence', async () => !(await healthOf(queue)).served, 40_000);
    const left = await sightQueue(workflowService, 'default', queue);
    // By its polls it would count for more than a minute.
    expect(queueHealth({ ...left, workers: [] }, Date.now()).served).toBe(true);
  });
});
