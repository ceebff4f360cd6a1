/**
 * Watches who serves the queues of a run for as long as it goes on, and tells the run whenever that has changed, so that Temporal's UI
 * shows it. It takes no slot of its worker: Temporal keeps the activity open, and once the heartbeats of one process cease, another goes
 * on with it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CompleteAsyncError, Context, type Info } from '@temporalio/activity';
import { isGrpcServiceError, type Client, type WorkflowHandle } from '@temporalio/client';
import { grpcStatus } from '../config/grpc-status.js';
import type { RunState, WatchQueuesInput } from '../config/plan.js';
import { queueHealth, type QueueSighting } from '../config/queue-health.js';
import { QueueWatcher } from '../config/queue-sighting.js';
import { stateQueryName, unservedQueuesSignalName } from '../config/run-messages.js';
import { Tellings } from './tellings.js';

/** A killed worker is known to be gone after 8 s at most, and a run says so within 10. */
const lookEveryMs = 1000;
const beatEveryMs = 5000;
/** With a look before it, a heartbeat still comes in time. */
const answerMs = 4000;
/** So many looks in a row without an answer are worth a line in the log. */
const notedFailures = 10;

/** Of `PendingActivityState`: started, asked to end, asked to pause. */
const atWorkStates: readonly unknown[] = [2, 3, 5];

/** @returns the activity. It ends with the run, or when Temporal has given it to another process. */
export function createQueueWatch(): (input: WatchQueuesInput) => Promise<void> {
  const sightings = new Sightings();
  return ({ queues }) => {
    const { client, info, log } = Context.current();
    const watch = new QueueWatch(client, info, queues, sightings);
    void watch.follow((error) => {
      log.warn("who serves the queues of a run is not known: Temporal's UI names no missing worker", { error });
    });
    throw new CompleteAsyncError();
  };
}

class QueueWatch {
  readonly #run: WorkflowHandle;
  readonly #tellings = new Tellings();
  /** What the run shows; undefined while that has to be asked. */
  #shown: readonly string[] | undefined;
  #beatAtMs = performance.now();

  constructor(
    readonly client: Client,
    readonly info: Info,
    readonly queues: Readonly<Record<string, string>>,
    readonly sightings: Sightings,
  ) {
    const { workflowId, runId } = info.workflowExecution ?? {};
    if (workflowId === undefined) throw new TypeError('expected to be an activity of a workflow');
    this.#run = client.workflow.getHandle(workflowId, runId);
  }

  /** @param onBlind called once, when nothing could be seen for some time */
  async follow(onBlind: (error: unknown) => void): Promise<void> {
    let failures = 0;
    do {
      try {
        await this.client.withDeadline(Date.now() + answerMs, () => this.#look());
        failures = 0;
      } catch (error) {
        // While Temporal does not answer, nobody is known to be missing.
        if (++failures === notedFailures) onBlind(error);
      }
      await delay(lookEveryMs, undefined, { ref: false });
    } while (await this.#isOurs());
  }

  async #look(): Promise<void> {
    const unserved = await this.#unserved();
    this.#shown ??= (await this.#run.query<RunState>(stateQueryName)).unserved;
    if (String(unserved) === String(this.#shown) || !this.#tellings.isDue(performance.now())) return;
    // Should the signal fail, it may have arrived.
    this.#shown = undefined;
    this.#tellings.add(performance.now());
    await this.#run.signal(unservedQueuesSignalName, unserved);
    this.#shown = unserved;
  }

  async #unserved(): Promise<readonly string[]> {
    const idle = await this.#idle([...new Set(Object.values(this.queues))], {});
    // Who works at a stage of this run serves its queue, though it does not poll.
    return idle.length === 0 ? idle : this.#idle(idle, await this.#atWork());
  }

  async #idle(
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
    const { raw } = await this.#run.describe();
    const workers: Record<string, string[]> = {};
    for (const { activityId, state, lastWorkerIdentity } of raw.pendingActivities ?? []) {
      const queue = this.queues[activityId ?? ''];
      if (queue !== undefined && atWorkStates.includes(state)) (workers[queue] ??= []).push(lastWorkerIdentity ?? '');
    }
    return workers;
  }

  /** Tells Temporal now and then that this process watches. @returns does it still have to? */
  async #isOurs(): Promise<boolean> {
    if (performance.now() - this.#beatAtMs < beatEveryMs) return true;
    const { workflowService, options } = this.client;
    const { taskToken, heartbeatTimeoutMs = 0 } = this.info;
    // Without details: how those are encoded may depend on what a task token does not tell.
    const beat = { namespace: options.namespace, identity: options.identity, taskToken };
    try {
      const { cancelRequested, activityPaused, activityReset } = await this.client.withDeadline(
        Date.now() + answerMs,
        () => workflowService.recordActivityTaskHeartbeat(beat),
      );
      this.#beatAtMs = performance.now();
      return !cancelRequested && !activityPaused && !activityReset;
    } catch (error) {
      // The run is over, or another process has the activity.
      if (isGrpcServiceError(error) && Number(error.code) === grpcStatus.notFound) return false;
      return performance.now() - this.#beatAtMs < heartbeatTimeoutMs;
    }
  }
}

interface Seen {
  readonly atMs: number;
  readonly watcher: QueueWatcher;
  readonly sighting: Promise<QueueSighting>;
}

/** Who is to be seen at a queue, asked once for all runs that this process watches. */
class Sightings {
  readonly #seen = new Map<string, Seen>();

  of({ workflowService, options: { namespace } }: Client, queue: string): Promise<QueueSighting> {
    const place = `${namespace}/${queue}`;
    const seen = this.#seen.get(place);
    if (seen && performance.now() - seen.atMs < lookEveryMs / 2) return seen.sighting;
    const watcher = seen?.watcher ?? new QueueWatcher(workflowService, namespace, queue);
    const sighting = watcher.look();
    this.#seen.set(place, { atMs: performance.now(), watcher, sighting });
    return sighting;
  }
}
