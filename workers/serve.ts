/**
 * A worker process from connection to end. SIGTERM and SIGINT end it in order: children make their work durable first.
 */
import { hostname } from 'node:os';
import { NativeConnection, Worker, type NativeConnectionOptions } from '@temporalio/worker';
import { asNightstillError, isUsageError, NightstillError } from '../config/errors.js';
import type { Role } from '../config/queues.js';
import type { DistillationPlugin } from '../plugins/index.js';
import { workerUsage } from './command-line.js';
import { readTemporalSettings } from './temporal-settings.js';

/** Bounds how late a cancel reaches a stage: Temporal delivers it with the answer to a heartbeat. */
const maxHeartbeatThrottleInterval = '10s';
/** After this, a worker that was asked to end does so with activities still running. */
const shutdownForceTime = '60s';

export interface Service {
  readonly role: Role;
  readonly plugin: DistillationPlugin;
  /** Absent on workers that run activities only: they poll no workflow tasks. */
  readonly workflowsPath?: string;
}

export async function serve({ role, plugin, workflowsPath }: Service): Promise<void> {
  const { connectionOptions, namespace } = readTemporalSettings();
  const connection = await connect(connectionOptions);
  try {
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: plugin.taskQueue,
      identity: `nightstill-${role}@${hostname()}#${process.pid}`,
      plugins: [plugin],
      maxHeartbeatThrottleInterval,
      shutdownForceTime,
      ...(workflowsPath === undefined ? {} : { workflowsPath }),
    });
    console.log(`nightstill ${role} worker ready: polls ${plugin.taskQueue} in namespace ${namespace}`);
    await worker.run();
  } finally {
    await connection.close();
  }
}

async function connect(options: NativeConnectionOptions): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (cause) {
    const address = options.address ?? 'localhost:7233';
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NightstillError(
      'temporal-unavailable',
      `expected a Temporal server at ${address}, found none: ${reason}`,
      { cause },
    );
  }
}

/** Runs a process to its end: an error is printed and becomes exit code 1, a mistake on the command line exit code 2. */
export function runProcess(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    if (isUsageError(error)) {
      console.error(`${error.message}\n${workerUsage}`);
      process.exitCode = 2;
      return;
    }
    const { code, message, remedy } = asNightstillError(error);
    console.error(`${code}: ${message}. ${remedy}`);
    if (code === 'unexpected') console.error(error);
    process.exitCode = 1;
  });
}
