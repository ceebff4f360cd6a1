/**
 * What our Temporal plugins have in common: they register activities beside the user's, name the queue of their role, and, unless
 * the user says otherwise, let a worker of stages hear of a cancel within ten seconds and give a gpu worker one stage at a time. They
 * change nothing else, open no connection and set no workflowsPath.
 */
import { msOptionalToNumber, msToNumber } from '@temporalio/common/lib/time.js';
import { SimplePlugin } from '@temporalio/plugin';
import type { WorkerOptions } from '@temporalio/worker';
import type { WorkerEnd } from '../activities/worker-end.js';
import { queueName, type Role } from '../config/queues.js';

/**
 * How late a cancel or a pause may reach a stage, and its progress a reader: Temporal delivers both with heartbeats, which the SDK
 * sends up to a minute late. A server may be far away, or bill each.
 */
const maxHeartbeatThrottleInterval = '10s';

interface RolePluginOptions {
  readonly name: string;
  readonly role: Role;
  readonly queuePrefix: string | undefined;
  /** By name. */
  readonly activities: (workerEnd: WorkerEnd) => object;
}

export abstract class RolePlugin extends SimplePlugin {
  /** The queue that a worker of this role polls. */
  readonly taskQueue: string;
  readonly #role: Role;
  readonly #workerEnd: WorkerEnd;

  protected constructor({ name, role, queuePrefix, activities }: RolePluginOptions) {
    const workerEnd: WorkerEnd = {};
    const ours = activities(workerEnd);
    super({ name: `nightstill.${name}`, activities: (existing) => ({ ...ours, ...existing }) });
    this.#workerEnd = workerEnd;
    this.taskQueue = queueName(role, queuePrefix);
    this.#role = role;
  }

  override configureWorker(options: WorkerOptions): WorkerOptions {
    const configured = super.configureWorker(options);
    this.#workerEnd.forcedAfterMs = forcedAfterMs(options);
    if (this.#role === 'orchestrator') return configured;
    const prompt = {
      ...configured,
      maxHeartbeatThrottleInterval: options.maxHeartbeatThrottleInterval ?? maxHeartbeatThrottleInterval,
    };
    if (this.#role !== 'gpu' || options.tuner !== undefined) return prompt;
    const { maxConcurrentActivityTaskExecutions = 1 } = configured;
    return { ...prompt, maxConcurrentActivityTaskExecutions };
  }
}

/** Between the request to stop, which comes after the grace, and the end by force, which is counted from before it. */
function forcedAfterMs({ shutdownForceTime, shutdownGraceTime = 0 }: WorkerOptions): number | undefined {
  const forceMs = msOptionalToNumber(shutdownForceTime);
  return forceMs === undefined ? undefined : Math.max(0, forceMs - msToNumber(shutdownGraceTime));
}
