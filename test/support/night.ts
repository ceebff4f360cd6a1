/**
 * A night in miniature for the tests of whole runs: a real Temporal server, worker processes as users run them, a client,
 * and what can be seen of a run from outside. A night has a Temporal server, and so queues, of its own.
 */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { start, type RunHandle } from '../../client/index.js';
import type { Role } from '../../config/queues.js';
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

/** What an activity in flight last reported with a heartbeat. */
export interface PendingImport {
  readonly durableStep: number;
}

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

  /** The code that the last attempt at the import failed with. */
  async lastFailureOf(runId: string): Promise<string | undefined> {
    const { raw } = await this.client.workflow.getHandle(runId).describe();
    const pending = (raw.pendingActivities ?? []).find(({ activityId }) => activityId === 'import');
    return pending?.lastFailure?.applicationFailureInfo?.type ?? undefined;
  }

  /** The import that Temporal waits for, if it does. */
  async pendingImport(runId: string): Promise<PendingImport | undefined> {
    const { raw } = await this.client.workflow.getHandle(runId).describe();
    const pending = (raw.pendingActivities ?? []).find(({ activityId }) => activityId === 'import');
    if (!pending) return undefined;
    const [payload] = pending.heartbeatDetails?.payloads ?? [];
    const details = payload && defaultPayloadConverter.fromPayload<{ durable?: { step: number } } | null>(payload);
    return { durableStep: details?.durable?.step ?? 0 };
  }

  /** Waits until this run's import has a durable checkpoint and still works. */
  importInFlight(runId: string): Promise<PendingImport> {
    return until(`an import of ${runId} with a durable checkpoint`, async () => {
      const pending = await this.pendingImport(runId);
      return pending && pending.durableStep > 0 && pending;
    });
  }

  /** The history of a run as JSON text with its payloads decoded, and the types of its events. */
  async historyOf(runId: string): Promise<{ readonly text: string; readonly types: readonly string[] }> {
    const history = await this.client.workflow.getHandle(runId).fetchHistory();
    const text = historyToJSON(history).replaceAll(
      /"data": *"([A-Za-z0-9+/=]*)"/g,
      (_, data: string) => `"data": ${JSON.stringify(Buffer.from(data, 'base64').toString())}`,
    );
    return { text, types: [...text.matchAll(/"eventType": *"([A-Z_]+)"/g)].map(([, type = '']) => type) };
  }

  /** The process that imports for this worker. */
  childOf(worker: RunningProcess): Promise<number> {
    return until('an import child', () => descendantsOf(worker.pid)[0]);
  }

  async end(): Promise<void> {
    for (const worker of this.#workers) worker.signal('SIGTERM');
    await Promise.all(this.#workers.map(({ exited }) => exited));
    await this.temporal.stop();
  }

  /** Live import children of this night that no live worker of it has started. */
  orphans(): number[] {
    const served = this.#workers.filter(({ pid }) => isAlive(pid)).flatMap(({ pid }) => descendantsOf(pid));
    return processesRunning('workers/import-child.js')
      .filter((pid) => environmentOf(pid).includes(`TEMPORAL_ADDRESS=${this.temporal.address}`))
      .filter((pid) => !served.includes(pid));
  }
}

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
