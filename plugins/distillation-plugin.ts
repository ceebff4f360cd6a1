/**
 * The Temporal plugin that a worker lists to take part in runs: it registers the activities of a role. It opens no
 * connection, sets no workflowsPath (workflows are exported by the user's own file: `export * from 'nightstill/workflow'`),
 * and leaves everything that the user has configured as it is. Pass it in one place: to the connection or to the worker.
 */
import { SimplePlugin } from '@temporalio/plugin';
import { createImportActivity } from '../activities/import-dataset.js';
import { createPlanActivities } from '../activities/plan-activities.js';
import { defaultQueuePrefix, queueName, type Role } from '../config/queues.js';
import { importStage } from './import-stage.js';

export type DistillationPluginOptions = { readonly queuePrefix?: string } & (
  | { readonly role: 'orchestrator' }
  | {
      readonly role: 'io';
      /** Absolute path of the compiled program that imports datasets: `importChild` of `nightstill/workers`. */
      readonly importChild: string;
    }
);

export class DistillationPlugin extends SimplePlugin {
  /** The queue that a worker of this role polls. */
  readonly taskQueue: string;

  constructor(options: DistillationPluginOptions) {
    const activities = activitiesOf(options);
    super({ name: 'nightstill.DistillationPlugin', activities: (existing) => ({ ...activities, ...existing }) });
    this.taskQueue = queueName(options.role satisfies Role, options.queuePrefix);
  }
}

function activitiesOf(options: DistillationPluginOptions): object {
  switch (options.role) {
    case 'orchestrator':
      return createPlanActivities({ kinds: [importStage], queuePrefix: options.queuePrefix ?? defaultQueuePrefix });
    case 'io':
      return { [importStage.activity]: createImportActivity(options) };
  }
}
