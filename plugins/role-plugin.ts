/**
 * What our Temporal plugins have in common: they register activities beside the user's, name the queue of their role, and give a
 * gpu worker one stage at a time unless its user says otherwise. They change nothing else, open no connection and set no
 * workflowsPath.
 */
import { SimplePlugin } from '@temporalio/plugin';
import type { WorkerOptions } from '@temporalio/worker';
import { queueName, type Role } from '../config/queues.js';

interface RolePluginOptions {
  readonly name: string;
  readonly role: Role;
  readonly queuePrefix: string | undefined;
  /** By name. */
  readonly activities: object;
}

export abstract class RolePlugin extends SimplePlugin {
  /** The queue that a worker of this role polls. */
  readonly taskQueue: string;
  readonly #role: Role;

  protected constructor({ name, role, queuePrefix, activities }: RolePluginOptions) {
    super({ name: `nightstill.${name}`, activities: (existing) => ({ ...activities, ...existing }) });
    this.taskQueue = queueName(role, queuePrefix);
    this.#role = role;
  }

  override configureWorker(options: WorkerOptions): WorkerOptions {
    const configured = super.configureWorker(options);
    if (this.#role !== 'gpu' || options.tuner !== undefined) return configured;
    const { maxConcurrentActivityTaskExecutions = 1 } = configured;
    return { ...configured, maxConcurrentActivityTaskExecutions };
  }
}
