/** Which queues a run needs that nobody serves, and what starts a worker for them. */
import type { Client } from '@temporalio/client';
import { isOpen } from '../config/plan.js';
import { queueHealth } from '../config/queue-health.js';
import { QueueWatcher } from '../config/queue-sighting.js';
import { roleOfQueue, workerCommand } from '../config/queues.js';
import type { MissingWorker, NodeView } from './run-view.js';

/** Asked less often than how a run stands. */
const askEveryMs = 2000;

export class MissingWorkers {
  readonly #client: Client;
  /** By queue. */
  readonly #watchers = new Map<string, QueueWatcher>();
  #inDoubt = false;
  #found: readonly MissingWorker[] = [];
  #askAgainAtMs = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Does a queue seem to be served by workers alone of which another look soon tells whether they live? */
  get inDoubt(): boolean {
    return this.#inDoubt;
  }

  /** Of the queue that the run itself waits at, and those of all nodes that are still to do. */
  async of(ownQueue: string, nodes: readonly NodeView[]): Promise<readonly MissingWorker[]> {
    if (Date.now() < this.#askAgainAtMs) return this.#found;
    const open = nodes.filter(({ status }) => isOpen(status));
    const needed = [...new Set([ownQueue, ...open.map(({ queue }) => queue)])];
    this.#inDoubt = false;
    const found = await Promise.all(needed.map((queue) => this.#missingAt(queue, open)));
    this.#found = found.filter((missing) => missing !== undefined);
    this.#askAgainAtMs = Date.now() + askEveryMs;
    return this.#found;
  }

  async #missingAt(queue: string, open: readonly NodeView[]): Promise<MissingWorker | undefined> {
    const sighting = await this.#watcherOf(queue).look();
    const atWork = open.filter((node) => node.queue === queue && isAtWork(node));
    const { served, inDoubt, worker } = queueHealth(
      sighting,
      Date.now(),
      atWork.map(({ activity }) => activity?.worker ?? ''),
    );
    this.#inDoubt ||= inDoubt === true;
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

  #watcherOf(queue: string): QueueWatcher {
    const { workflowService, options } = this.#client;
    const watcher = this.#watchers.get(queue) ?? new QueueWatcher(workflowService, options.namespace, queue);
    this.#watchers.set(queue, watcher);
    return watcher;
  }
}

const isAtWork = ({ activity, status }: NodeView): boolean =>
  status === 'running' && (activity?.state === 'working' || activity?.state === 'ending');
