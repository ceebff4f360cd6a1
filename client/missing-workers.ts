/** Which queues a run needs that nobody serves, and what starts a worker for them. */
import type { Client } from '@temporalio/client';
import { isOpen } from '../config/plan.js';
import { queueHealth } from '../config/queue-health.js';
import { sightQueue } from '../config/queue-sighting.js';
import { roleOfQueue, workerCommand } from '../config/queues.js';
import type { MissingWorker, NodeView } from './run-view.js';

/** Asked less often than how a run stands. */
const askEveryMs = 2000;

export class MissingWorkers {
  readonly #client: Client;
  #found: readonly MissingWorker[] = [];
  #askAgainAtMs = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Of the queue that the run itself waits at, and those of all nodes that are still to do. */
  async of(ownQueue: string, nodes: readonly NodeView[]): Promise<readonly MissingWorker[]> {
    if (Date.now() < this.#askAgainAtMs) return this.#found;
    const open = nodes.filter(({ status }) => isOpen(status));
    const needed = [...new Set([ownQueue, ...open.map(({ queue }) => queue)])];
    const found = await Promise.all(needed.map((queue) => this.#missingAt(queue, open)));
    this.#found = found.filter((missing) => missing !== undefined);
    this.#askAgainAtMs = Date.now() + askEveryMs;
    return this.#found;
  }

  async #missingAt(queue: string, open: readonly NodeView[]): Promise<MissingWorker | undefined> {
    const { workflowService, options } = this.#client;
    const sighting = await sightQueue(workflowService, options.namespace, queue);
    const atWork = open.filter((node) => node.queue === queue && isAtWork(node));
    const { served, worker } = queueHealth(
      sighting,
      Date.now(),
      atWork.map(({ activity }) => activity?.worker ?? ''),
    );
    if (served) return undefined;
    const role = roleOfQueue(queue);
    const command = workerCommand(queue);
    return {
      queue,
      ...(role && { role }),
      ...(command !== undefined && { command }),
      nodes: open.filter((node) => node.queue === queue).map(({ id }) => id),
      ...(worker !== undefined && { lastWorker: worker }),
    };
  }
}

const isAtWork = ({ activity, status }: NodeView): boolean =>
  status === 'running' && (activity?.state === 'working' || activity?.state === 'ending');
