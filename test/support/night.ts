/**
 * A night in miniature for the tests of whole runs: a real Temporal server, worker processes as users run them, a client,
 * and the processes that do its work. A night has a Temporal server, and so queues, of its own.
 */
import type { Client } from '@temporalio/client';
import { start, type RunHandle } from '../../client/index.js';
import { sightQueue } from '../../config/queue-sighting.js';
import { queueName, type Role } from '../../config/queues.js';
import { openObjectStore, type Json } from '../../storage/index.js';
import {
  descendantsOf,
  environmentOf,
  isAlive,
  processesRunning,
  startProgram,
  until,
  type RunningProcess,
} from './processes.js';
import { historyOf, pendingActivity, type PendingActivity, type RunHistory } from './run-view.js';
import { keysOf } from './stage.js';
import { TemporalTestServer } from './temporal-server.js';

/** Short, so that a killed worker is missed soon. */
const timeouts = { heartbeatMs: 2000 };
const retry = { initialIntervalMs: 200, maximumIntervalMs: 1000 };

export interface PlanRequest {
  readonly store: string;
  readonly dataset: string;
  readonly shardBytes?: number;
}

/** A one-node plan, as a user's file would say it. */
export const importPlan = ({ store, dataset, shardBytes = 64 * 1024 }: PlanRequest): Json => ({
  name: 'nightly',
  store,
  stages: [{ id: 'import', uses: 'import', with: { dataset, shardBytes }, timeouts, retry }],
});

/** Other stages may come before it, on a busy machine. */
const stageComesWithinMs = 240_000;

export class Night {
  readonly #workers: RunningProcess[] = [];
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(
    readonly temporal: TemporalTestServer,
    readonly client: Client,
    environment: Readonly<Record<string, string>>,
  ) {
    this.#environment = { ...environment, TEMPORAL_ADDRESS: temporal.address };
  }

  /** @param environment for the workers, besides that of this process: credentials of a store */
  static async begin(environment: Readonly<Record<string, string>> = {}): Promise<Night> {
    const temporal = await TemporalTestServer.start();
    return new Night(temporal, await temporal.client(), environment);
  }

  async addWorker(role: Role, commandLine: readonly string[] = []): Promise<RunningProcess> {
    const worker = await startProgram(`workers/${role}.js`, commandLine, this.#environment, 'worker ready');
    this.#workers.push(worker);
    return worker;
  }

  start(runId: string, file: Json): Promise<RunHandle> {
    return start({ client: this.client, runId, file });
  }

  /** With the run id that comes from the plan. */
  startUnnamed(file: Json): Promise<RunHandle> {
    return start({ client: this.client, file });
  }

  /** The activity of this id that Temporal waits for, if it does: a node's id, or `<node>:lookup`. */
  pending(runId: string, activityId: string): Promise<PendingActivity | undefined> {
    return pendingActivity(this.client, runId, activityId);
  }

  /** Waits until this stage has a durable checkpoint, at this step or later, and still works. */
  inFlight(runId: string, node: string, step = 1): Promise<PendingActivity> {
    const atWork = async () => {
      const pending = await this.pending(runId, node);
      return pending?.started && pending.durableStep >= step && pending;
    };
    return until(`${node} of ${runId} at work with a checkpoint at step ${step} or later`, atWork, stageComesWithinMs);
  }

  historyOf(runId: string): Promise<RunHistory> {
    return historyOf(this.client, runId);
  }

  /** Waits until this worker has told Temporal that it lives: one that never did is missed only once its last poll has run out. */
  async spoken({ pid }: RunningProcess, role: Role): Promise<void> {
    await until('a word of the worker', async () => {
      const { workers } = await sightQueue(this.client.workflowService, 'default', queueName(role));
      return workers.some(({ identity }) => identity.includes(`#${pid}`));
    });
  }

  /** The process that works for this worker. */
  childOf(worker: RunningProcess): Promise<number> {
    return until('a child process', () => descendantsOf(worker.pid)[0]);
  }

  async end(): Promise<void> {
    for (const worker of this.#workers) worker.signal('SIGTERM');
    await Promise.all(this.#workers.map(({ exited }) => exited));
    await this.temporal.stop();
  }

  /** All live processes of this night that do the work of a stage. */
  children(): number[] {
    const mark = `TEMPORAL_ADDRESS=${this.temporal.address}\0`;
    return childPrograms.flatMap(processesRunning).filter((pid) => `${environmentOf(pid)}\0`.includes(mark));
  }

  /** Those of them that no live worker of this night has started. */
  orphans(): number[] {
    const served = this.#workers.filter(({ pid }) => isAlive(pid)).flatMap(({ pid }) => descendantsOf(pid));
    return this.children().filter((pid) => !served.includes(pid));
  }
}

const childPrograms = [
  'import-child',
  'trainer',
  'answer-child',
  'capture-child',
  'capture-endpoint-child',
  'evaluate-child',
].map((name) => `workers/${name}.js`);

/** How many objects of each kind a store holds. */
export async function countObjects(url: string): Promise<Readonly<Record<'results' | 'blobs' | 'heads', number>>> {
  const store = await openObjectStore(url);
  try {
    const count = async (prefix: string): Promise<number> => (await keysOf(store, prefix)).length;
    return { results: await count('results/'), blobs: await count('blobs/'), heads: await count('heads/') };
  } finally {
    await store.close();
  }
}
