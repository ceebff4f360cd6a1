/**
 * The Temporal plugin that a worker lists to take part in runs: it registers the activities of a role. It opens no
 * connection, sets no workflowsPath (workflows are exported by the user's own file: `export * from 'nightstill/workflow'`),
 * and leaves everything that the user has configured as it is. Pass it in one place: to the connection or to the worker.
 */
import { SimplePlugin } from '@temporalio/plugin';
import { createPlanActivities } from '../activities/plan-activities.js';
import { createStageActivity } from '../activities/stage-activity.js';
import type { ChildPrograms, Stage } from '../activities/stage.js';
import { defaultQueuePrefix, queueName, type Role } from '../config/queues.js';
import { builtInStages } from './built-in-stages.js';

export interface DistillationPluginOptions {
  /** What this worker is able to do. */
  readonly role: Role;
  /** Stages of your own, beside the built-in ones: the same list on every worker. */
  readonly stages?: readonly Stage[];
  /** The programs that stages start: `programs` of `nightstill/workers`. Needed by io and gpu workers. */
  readonly programs?: ChildPrograms;
  /** Default: `nightstill`. */
  readonly queuePrefix?: string;
}

export class DistillationPlugin extends SimplePlugin {
  /** The queue that a worker of this role polls. */
  readonly taskQueue: string;

  constructor(options: DistillationPluginOptions) {
    const activities = activitiesOf(options);
    super({ name: 'nightstill.DistillationPlugin', activities: (existing) => ({ ...activities, ...existing }) });
    this.taskQueue = queueName(options.role, options.queuePrefix);
  }
}

/** A kind may choose its queue by its options, so io and gpu workers know every stage. */
function activitiesOf({ role, stages = [], programs, queuePrefix }: DistillationPluginOptions): object {
  const all = [...builtInStages, ...stages];
  if (role === 'orchestrator')
    return createPlanActivities({ kinds: all.map(({ kind }) => kind), queuePrefix: queuePrefix ?? defaultQueuePrefix });
  return Object.fromEntries(all.map((stage) => [stage.kind.activity, createStageActivity(stage, { programs })]));
}
