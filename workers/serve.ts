/**
 * A worker process from connection to end: one Temporal worker a role, and one a device for the role `gpu`, over one connection.
 * SIGTERM and SIGINT end all of them in order: children make their work durable first.
 */
import { hostname } from 'node:os';
import { IllegalStateError, type DataConverter } from '@temporalio/common';
import {
  GracefulShutdownPeriodExpiredError,
  NativeConnection,
  Worker,
  type NativeConnectionOptions,
  type WorkerOptions,
} from '@temporalio/worker';
import { readEnvironment } from '../config/environment.js';
import { NightstillError } from '../config/errors.js';
import { formatDuration } from '../config/format-duration.js';
import type { Role } from '../config/queues.js';
import { sayUnreachable } from '../config/unreachable.js';
import { DistillationPlugin, type ScorerModule, type Stage } from '../plugins/index.js';
import { devicesOfMachine, type Device } from './devices.js';
import { programs, programsOn } from './programs.js';
import { readTemporalSettings } from './temporal-settings.js';
import { workflowBundle, workflowsPath } from './workflow-bundle.js';

/** How late a cancel may reach a stage, and its progress a reader: a server of this host bears more heartbeats than the plugins ask for. */
const heartbeatThrottleHere = '1s';
/** How long a workflow task waits for the worker that has the run in its cache, which may be dead: another replays the history in less. */
const stickyQueueScheduleToStartTimeout = '2s';
const defaultEndWithinMs = 60_000;
/** Each may be a process of its own. Of a gpu worker the plugin allows one. */
const ioStagesAtOnce = 8;

export interface Service {
  readonly roles: readonly Role[];
  /** Stages of your own, beside the built-in ones. */
  readonly stages?: readonly Stage[];
  /** Scorers of your own, beside the built-in ones. */
  readonly scorers?: ScorerModule;
  /** Default: `nightstill`. */
  readonly queuePrefix?: string;
  /** Of the role `gpu`: one worker each. Default: the NVIDIA devices of this machine, or else its processor. */
  readonly devices?: readonly Device[];
  readonly dataConverter?: DataConverter;
  /** How long stages may take to end once the worker is asked to; then it ends without them. Default: 60,000. */
  readonly endWithinMs?: number;
}

/** @throws environment-invalid, temporal-unavailable, stages-invalid, stage-endless */
export async function serve(service: Service): Promise<void> {
  const { dataConverter, endWithinMs = defaultEndWithinMs } = service;
  const seats = (await Promise.all(service.roles.map((role) => seatsOf(role, service)))).flat();
  const { connectionOptions, namespace } = readTemporalSettings();
  const connection = await connect(connectionOptions);
  try {
    const workers = await Promise.all(
      seats.map(({ options }) =>
        Worker.create({
          ...options,
          connection,
          namespace,
          ...(isOfThisHost(connectionOptions) && { maxHeartbeatThrottleInterval: heartbeatThrottleHere }),
          stickyQueueScheduleToStartTimeout,
          shutdownForceTime: endWithinMs,
          ...(dataConverter && { dataConverter }),
        }),
      ),
    );
    for (const { role, options } of seats)
      console.log(`nightstill ${role} worker ready: polls ${options.taskQueue} in namespace ${namespace}`);
    await runAll(workers, endWithinMs);
  } finally {
    // A worker that ended by force still uses it.
    await connection.close().catch(() => undefined);
  }
}

const isOfThisHost = ({ address = 'localhost' }: NativeConnectionOptions): boolean =>
  /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/.test(address);

/** A Temporal worker to be. */
interface Seat {
  readonly role: Role;
  readonly options: WorkerOptions;
}

async function seatsOf(role: Role, service: Service): Promise<readonly Seat[]> {
  const { stages, scorers, queuePrefix, devices = devicesOfMachine() } = service;
  const seat = (plugin: DistillationPlugin, place = '', options: Partial<WorkerOptions> = {}): Seat => ({
    role,
    options: {
      taskQueue: plugin.taskQueue,
      plugins: [plugin],
      identity: `nightstill-${role}@${hostname()}#${process.pid}${place}`,
      ...options,
    },
  });
  switch (role) {
    case 'orchestrator': {
      const plugin = new DistillationPlugin({ role, stages, scorers, queuePrefix });
      return [seat(plugin, '', await workflowsFor(service.dataConverter))];
    }
    case 'io': {
      const plugin = new DistillationPlugin({ role, stages, scorers, queuePrefix, programs });
      return [seat(plugin, '', { maxConcurrentActivityTaskExecutions: ioStagesAtOnce })];
    }
    case 'gpu':
      return devices.map((device) => {
        const plugin = new DistillationPlugin({ role, stages, scorers, queuePrefix, programs: programsOn(device) });
        return seat(plugin, `/${device}`);
      });
  }
}

/** A converter that lies in modules of its own becomes part of the bundle, and so does not come from the cache. */
async function workflowsFor(converter: DataConverter = {}): Promise<Partial<WorkerOptions>> {
  const isBundled = converter.payloadConverterPath !== undefined || converter.failureConverterPath !== undefined;
  return isBundled ? { workflowsPath } : { workflowBundle: await workflowBundle(readEnvironment().cacheDirectory) };
}

/** Until a signal ends them all. One that fails ends the others in order, too. */
async function runAll(workers: readonly Worker[], endWithinMs: number): Promise<void> {
  const endAll = (): void =>
    workers.filter((worker) => worker.getState() === 'RUNNING').forEach((worker) => worker.shutdown());
  const ends = await Promise.allSettled(
    workers.map(async (worker) => {
      try {
        await worker.run();
      } finally {
        endAll();
      }
    }),
  );
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed === undefined) return;
  if (!isForcedEnd(failed.reason)) throw failed.reason;
  throw new NightstillError(
    'stage-endless',
    `expected every stage to end within ${formatDuration(endWithinMs)} of being asked to, found one that works on`,
  );
}

/** When time is up the SDK says so, or that it could not let go of the worker. */
const isForcedEnd = (error: unknown): boolean =>
  error instanceof GracefulShutdownPeriodExpiredError ||
  (error instanceof IllegalStateError && error.message.startsWith('Worker still in use'));

async function connect(options: NativeConnectionOptions): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (cause) {
    const address = options.address ?? 'localhost:7233';
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NightstillError(
      'temporal-unavailable',
      `expected a Temporal server at ${address}, found none: ${sayUnreachable(reason)}`,
      { cause },
    );
  }
}
