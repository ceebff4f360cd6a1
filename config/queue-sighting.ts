/**
 * Asks a Temporal server who is to be seen at a task queue, for `queue-health.ts`. The service is that of any Temporal client
 * (`client.workflowService`), known here by the two calls that are needed, so that activities and applications ask alike.
 */
import type { QueueSighting, WorkerSighting } from './queue-health.js';
import { roleOfQueue } from './queues.js';
import { WorkerWords } from './worker-words.js';

interface Timestamp {
  /** A number, or an object that counts beyond numbers and converts to one. */
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}

interface Heartbeat {
  readonly workerInstanceKey?: string | null;
  readonly workerIdentity?: string | null;
  readonly heartbeatTime?: Timestamp | null;
  readonly elapsedSinceLastHeartbeat?: Timestamp | null;
  readonly status?: number | null;
}

export interface QueueService {
  describeTaskQueue(request: {
    readonly namespace: string;
    readonly taskQueue: { readonly name: string };
    readonly taskQueueType: number;
  }): Promise<{
    readonly pollers?:
      readonly { readonly identity?: string | null; readonly lastAccessTime?: Timestamp | null }[] | null;
  }>;
  listWorkers(request: { readonly namespace: string; readonly query: string }): Promise<{
    readonly workersInfo?: readonly { readonly workerHeartbeat?: Heartbeat | null }[] | null;
  }>;
}

/** Of `TaskQueueType`. An orchestrator without workflow code is of no use, and any other worker polls for activities. */
const taskTypes = { workflow: 1, activity: 2 };
/** Of `WorkerStatus`: shutting down, and shut down. */
const endings: readonly unknown[] = [2, 3];
const defaultIntervalMs = 60_000;
/** Of gRPC: what a server says that does not know a call, or has it switched off. */
const unknownCalls: readonly unknown[] = [3, 7, 12];

export async function sightQueue(service: QueueService, namespace: string, queue: string): Promise<QueueSighting> {
  const taskQueueType = roleOfQueue(queue) === 'orchestrator' ? taskTypes.workflow : taskTypes.activity;
  const [{ pollers }, workers] = await Promise.all([
    service.describeTaskQueue({ namespace, taskQueue: { name: queue }, taskQueueType }),
    workersOf(service, namespace, queue),
  ]);
  return {
    pollers: (pollers ?? []).map(({ identity, lastAccessTime }) => ({
      identity: identity ?? '',
      polledAtMs: millisecondsOf(lastAccessTime) ?? 0,
    })),
    workers,
  };
}

/** Looks at one queue again and again: when a worker spoke is known by the clock of this process. */
export class QueueWatcher {
  readonly #words = new WorkerWords();

  constructor(
    readonly service: QueueService,
    readonly namespace: string,
    readonly queue: string,
  ) {}

  async look(): Promise<QueueSighting> {
    const { pollers, workers } = await sightQueue(this.service, this.namespace, this.queue);
    return { pollers, workers: this.#words.heard(workers, Date.now()) };
  }
}

async function workersOf(service: QueueService, namespace: string, queue: string): Promise<WorkerSighting[]> {
  try {
    const { workersInfo } = await service.listWorkers({ namespace, query: `TaskQueue="${queue}"` });
    return (workersInfo ?? []).flatMap(({ workerHeartbeat }) => (workerHeartbeat ? [workerOf(workerHeartbeat)] : []));
  } catch (error) {
    if (error instanceof Error && 'code' in error && unknownCalls.includes(error.code)) return [];
    throw error;
  }
}

function workerOf(heartbeat: Heartbeat): WorkerSighting {
  const saidAtMs = millisecondsOf(heartbeat.heartbeatTime) ?? 0;
  const identity = heartbeat.workerIdentity ?? '';
  return {
    key: heartbeat.workerInstanceKey || identity,
    identity,
    saidAtMs,
    intervalMs: millisecondsOf(heartbeat.elapsedSinceLastHeartbeat) || defaultIntervalMs,
    ending: endings.includes(heartbeat.status),
  };
}

const millisecondsOf = (time: Timestamp | null | undefined): number | undefined =>
  time ? Number(time.seconds ?? 0) * 1000 + Math.floor((time.nanos ?? 0) / 1e6) : undefined;
