/**
 * Watches who serves the queues of a run for as long as it goes on, and tells the run whenever that has changed, so that Temporal's UI
 * shows it. It takes no slot of its worker: Temporal keeps the activity open, and once the heartbeats of one process cease, another goes
 * on with it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CompleteAsyncError, Context, type Info } from '@temporalio/activity';
import { ActivityCompletionError, type Client } from '@temporalio/client';
import type { WatchQueuesInput } from '../config/plan.js';
import { queueHealth, type QueueSighting } from '../config/queue-health.js';
import { sightQueue } from '../config/queue-sighting.js';
import { unservedQueuesSignalName } from '../config/run-messages.js';

/** A killed worker is known to be gone after 8 s at most, and a run says so within 10. */
const lookEveryMs = 1000;
const beatEveryMs = 5000;

/** Of `PendingActivityState`: started, and asked to end. */
const atWorkStates: readonly unknown[] = [2, 3];

/** @returns the activity. It ends with the run, or when Temporal has given it to another process. */
export function createQueueWatch(): (input: WatchQueuesInput) => Promise<void> {
  const sightings = new Sightings();
  return ({ queues }) => {
    const { client, info, log } = Context.current();
    const watch = new QueueWatch(client, info, queues, sightings);
    watch.follow().catch((error: unknown) => void log.debug('the queues of a run are watched no more', { error }));
    throw new CompleteAsyncError();
  };
}

class QueueWatch {
  readonly #execution: { readonly workflowId: string; readonly runId: string };
  /** What the run was told last, by this process or one before. */
  #told: string;
  #beatAtMs = Date.now();

  constructor(
    readonly client: Client,
    readonly info: Info,
    readonly queues: Readonly<Record<string, string>>,
    readonly sightings: Sightings,
  ) {
    if (info.workflowExecution === undefined) throw new TypeError('expected to be an activity of a workflow');
    this.#execution = info.workflowExecution;
    this.#told = JSON.stringify(Array.isArray(info.heartbeatDetails) ? info.heartbeatDetails : []);
  }

  async follow(): Promise<void> {
    for (;;) {
      // While Temporal does not answer, nobody is known to be missing.
      await this.#look().catch(() => undefined);
      if (Date.now() - this.#beatAtMs >= beatEveryMs && !(await this.#beat())) return;
      await delay(lookEveryMs, undefined, { ref: false });
    }
  }

  async #look(): Promise<void> {
    const needed = [...new Set(Object.values(this.queues))];
    const idle = await this.#unserved(needed, {});
    // Who works at a stage of this run serves its queue, though it does not poll.
    const unserved = idle.length === 0 ? idle : await this.#unserved(idle, await this.#atWork());
    const now = JSON.stringify(unserved);
    if (now === this.#told) return;
    const { workflowId, runId } = this.#execution;
    await this.client.workflow.getHandle(workflowId, runId).signal(unservedQueuesSignalName, unserved);
    this.#told = now;
    this.#beatAtMs = -Infinity;
  }

  async #unserved(
    queues: readonly string[],
    atWork: Readonly<Record<string, readonly string[] | undefined>>,
  ): Promise<string[]> {
    const health = await Promise.all(
      queues.map(async (queue) => ({
        queue,
        ...queueHealth(await this.sightings.of(this.client, queue), Date.now(), atWork[queue]),
      })),
    );
    return health.filter(({ served }) => !served).map(({ queue }) => queue);
  }

  /** Identities of those who work for this run, by queue. */
  async #atWork(): Promise<Readonly<Record<string, string[] | undefined>>> {
    const { pendingActivities } = await this.client.workflowService.describeWorkflowExecution({
      namespace: this.client.options.namespace,
      execution: this.#execution,
    });
    const workers: Record<string, string[]> = {};
    for (const { activityId, state, lastWorkerIdentity } of pendingActivities) {
      const queue = this.queues[activityId ?? ''];
      if (queue !== undefined && atWorkStates.includes(state)) (workers[queue] ??= []).push(lastWorkerIdentity ?? '');
    }
    return workers;
  }

  /** Tells Temporal that this process watches. @returns does it still have to? */
  async #beat(): Promise<boolean> {
    try {
      await this.client.activity.heartbeat(this.info.taskToken, JSON.parse(this.#told));
      this.#beatAtMs = Date.now();
      return true;
    } catch (error) {
      // The run is over, or an operator has paused or reset the activity.
      if (!(error instanceof ActivityCompletionError)) return false;
      return Date.now() - this.#beatAtMs < (this.info.heartbeatTimeoutMs ?? 0);
    }
  }
}

/** Who is to be seen at a queue, asked once for all runs that this process watches. */
class Sightings {
  readonly #seen = new Map<string, { readonly atMs: number; readonly sighting: Promise<QueueSighting> }>();

  of({ workflowService, options: { namespace } }: Client, queue: string): Promise<QueueSighting> {
    const seen = this.#seen.get(queue);
    if (seen && Date.now() - seen.atMs < lookEveryMs / 2) return seen.sighting;
    const sighting = sightQueue(workflowService, namespace, queue);
    this.#seen.set(queue, { atMs: Date.now(), sighting });
    return sighting;
  }
}
