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

  it('is known not to be served 10 s after a worker that speaks every 2 s was killed, though its polls are remembered', async () => {
    const worker = await night.addWorker(role);
    const { workflowService } = night.client;
    // It says what it was started to say, and nothing is late on this machine, just now.
    const speaksInTime = async () => {
      const { pollers, workers } = await sightQueue(workflowService, 'default', queue);
      const word = workers.find(isOf(worker.pid));
      const polledAtMs = pollers.filter(isOf(worker.pid)).map((poll) => poll.polledAtMs);
      return word && word.intervalMs <= 3000 && polledAtMs.length > 0 && word.saidAtMs >= Math.max(...polledAtMs);
    };
    await until('its second word', speaksInTime, 120_000);
    const killedAtMs = Date.now();
    worker.signal('SIGKILL');
    await worker.exited;
    const left = await sightQueue(workflowService, 'default', queue);
    expect(left.pollers.some(isOf(worker.pid))).toBe(true);
    expect(queueHealth(left, killedAtMs + 10_000)).toMatchObject({ served: false, worker: expect.any(String) });
    // By its polls it would count for more than a minute.
    expect(queueHealth({ ...left, workers: [] }, killedAtMs + 10_000).served).toBe(true);
    await until('silence', async () => !(await healthOf(queue)).served, 60_000);
  });
});
