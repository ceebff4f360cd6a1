/**
 * A night whose workers live in this process: a real Temporal server, workers of all roles with small stages beside the
 * built-in ones, and the data converter of a user who has one.
 */
import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { start, type RunHandle } from '../../client/index.js';
import type { Role } from '../../config/queues.js';
import { DistillationPlugin } from '../../plugins/index.js';
import type { Json } from '../../storage/index.js';
import { programs } from '../../workers/programs.js';
import { compiledPath } from './processes.js';
import { smallStages } from './small-stages.js';
import { TemporalTestServer } from './temporal-server.js';

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
  async addWorker(role: Role): Promise<SmallWorker> {
    const plugin = new DistillationPlugin({ role, stages: smallStages, programs });
    const worker = await Worker.create({
      connection: this.connection,
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

  start(runId: string, file: Json): Promise<RunHandle> {
    return start({ client: this.client, runId, file });
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
