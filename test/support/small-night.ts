/**
 * A night whose workers live in this process: a real Temporal server, workers of all roles with small stages beside the
 * built-in ones, and the data converter of a user who has one.
 */
import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { start, type RunHandle } from '../../client/index.js';
import type { NightResult } from '../../config/night.js';
import { searchAttributeNames } from '../../config/run-messages.js';
import type { Role } from '../../config/queues.js';
import type { ChildPrograms } from '../../activities/stage.js';
import { DistillationPlugin } from '../../plugins/index.js';
import type { Json } from '../../storage/index.js';
import { nightOf, oneNight } from './night-of.js';
import { compiledPath, until } from './processes.js';
import { smallStages } from './small-stages.js';
import { TemporalTestServer } from './temporal-server.js';

/** Compiled, wherever this file runs from. */
const programs: ChildPrograms = {
  importer: { entry: compiledPath('workers/import-child.js') },
  trainer: { entry: compiledPath('workers/trainer.js') },
  evaluator: { entry: compiledPath('workers/evaluate-child.js') },
  answerer: { entry: compiledPath('workers/answer-child.js') },
  capturer: { entry: compiledPath('workers/capture-child.js') },
  asker: { entry: compiledPath('workers/capture-endpoint-child.js') },
};

/** Of `IndexedValueType`. */
const keyword = 2;

export interface SmallNightOptions {
  /** Of the client and the workers. */
  readonly dataConverter?: DataConverter;
}

export interface SmallWorker {
  /** In order: activities are told to end, and awaited. */
  stop(): Promise<void>;
}

export class SmallNight {
  readonly #workers = new Set<SmallWorker>();

  private constructor(
    readonly temporal: TemporalTestServer,
    readonly client: Client,
    readonly connection: NativeConnection,
    readonly options: SmallNightOptions,
  ) {}

  static async begin(options: SmallNightOptions = {}): Promise<SmallNight> {
    // Failures are what these nights are about: the SDK logs each with its stack.
    const logging = { filter: makeTelemetryFilterString({ core: 'ERROR' }) };
    Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging } });
    const temporal = await TemporalTestServer.start();
    const { connection } = await temporal.client();
    const client = new Client({ connection, ...options, identity: 'nightstill-client' });
    return new SmallNight(temporal, client, await NativeConnection.connect({ address: temporal.address }), options);
  }

  /** With an identity that says nothing of this machine. */
  async addWorker(role: Role, queuePrefix?: string, stages = smallStages, namespace = 'default'): Promise<SmallWorker> {
    const plugin = new DistillationPlugin({ role, stages, programs, queuePrefix });
    const worker = await Worker.create({
      connection: this.connection,
      namespace,
      taskQueue: plugin.taskQueue,
      identity: `nightstill-${role}`,
      plugins: [plugin],
      maxHeartbeatThrottleInterval: '1s',
      ...(role === 'orchestrator' && { workflowsPath: compiledPath('workflows/index.js') }),
      ...this.options,
    });
    const ended = worker.run();
    const added: SmallWorker = {
      stop: async () => {
        if (this.#workers.delete(added)) worker.shutdown();
        await ended;
      },
    };
    this.#workers.add(added);
    return added;
  }

  start(runId: string, file: Json, queuePrefix?: string): Promise<RunHandle> {
    return start({ client: this.client, runId, file, ...(queuePrefix !== undefined && { queuePrefix }) });
  }

  /** A night of this schedule, from its order to its end. */
  async oneNight(name: string): Promise<NightResult> {
    return (await oneNight(this.client, name)).result;
  }

  /** What the night of this run returned. */
  async endOf(name: string, run: string): Promise<NightResult> {
    return (await nightOf(this.client, name, run)).result();
  }

  /** Makes the run go back to the last decision of its workflow, as an operator would. */
  async reset(workflowId: string): Promise<void> {
    const { events } = await this.client.workflow.getHandle(workflowId).fetchHistory();
    const decision = (events ?? []).findLast((event) => event.workflowTaskCompletedEventAttributes);
    if (!decision?.eventId) throw new Error(`expected a decision of ${workflowId}, found none`);
    await this.client.workflowService.resetWorkflowExecution({
      namespace: this.client.options.namespace,
      workflowExecution: { workflowId },
      reason: 'a test',
      requestId: workflowId,
      workflowTaskFinishEventId: decision.eventId,
    });
  }

  /** Those that runs keep, until the namespace has them. */
  async addSearchAttributes(): Promise<void> {
    const { operatorService } = this.client.connection;
    const { namespace } = this.client.options;
    const names = Object.values(searchAttributeNames);
    const searchAttributes = Object.fromEntries(names.map((name) => [name, keyword]));
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
    await until('search attributes', async () => {
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
      return names.every((name) => Object.hasOwn(customAttributes, name));
    });
  }

  async end(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
    await this.connection.close();
    await this.temporal.stop();
  }
}

/** Short, so that what has to be missed is missed soon. */
const quick = { timeouts: { heartbeatMs: 2000 }, retry: { initialIntervalMs: 100, maximumIntervalMs: 200 } };

export interface SmallStage {
  readonly id: string;
  readonly uses?: string;
  readonly needs?: readonly string[];
  readonly inputs?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, Json>>;
  readonly timeouts?: Readonly<Record<string, number>>;
}

/** A plan of small stages: notes of their own id, unless a stage says otherwise. */
export const smallPlan = (
  store: string,
  stages: readonly SmallStage[],
  top: Readonly<Record<string, Json>> = {},
): Json => ({
  name: 'small',
  store,
  ...top,
  stages: stages.map(({ uses = 'note', timeouts, ...stage }) => ({
    ...quick,
    uses,
    ...(uses === 'note' && { with: { text: stage.id } }),
    ...stage,
    timeouts: { ...quick.timeouts, ...timeouts },
  })) as unknown as Json,
});
