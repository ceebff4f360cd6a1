/**
 * The Temporal plugin that a worker lists to take part in runs with all that its role can do: PlanPlugin for an orchestrator;
 * ImportPlugin, TrainingPlugin and StagesPlugin for the others. It opens no connection, sets no workflowsPath (workflows are
 * exported by the user's own file: `export * from 'nightstill/workflow'`), and leaves everything that the user has configured
 * as it is. Pass it in one place: to the connection or to the worker.
 */
import { SimplePlugin } from '@temporalio/plugin';
import type { ChildPrograms, Stage } from '../activities/stage.js';
import { queueName, type StageRole } from '../config/queues.js';
import { allStages } from './check-stages.js';
import { planActivities } from './plan-plugin.js';
import { stageActivities } from './stages-plugin.js';

interface AnyRoleOptions {
  /** Stages of your own, beside the built-in ones: the same list on every worker. */
  readonly stages?: readonly Stage[] | undefined;
  /** Default: `nightstill`. */
  readonly queuePrefix?: string | undefined;
}

export type DistillationPluginOptions = AnyRoleOptions &
  (
    | { readonly role: 'orchestrator'; readonly programs?: ChildPrograms | undefined }
    | {
        /** What this worker is able to do. */
        readonly role: StageRole;
        /** The programs that stages start: `programs` of `nightstill/workers`. */
        readonly programs: ChildPrograms;
      }
  );

/** @throws stages-invalid */
export class DistillationPlugin extends SimplePlugin {
  /** The queue that a worker of this role polls. */
  readonly taskQueue: string;

  constructor(options: DistillationPluginOptions) {
    const { role, stages = [], programs } = options;
    const activities =
      role === 'orchestrator'
        ? planActivities(options)
        : stageActivities({ role, stages: allStages(stages), programs });
    super({ name: 'nightstill.DistillationPlugin', activities: (existing) => ({ ...activities, ...existing }) });
    this.taskQueue = queueName(role, options.queuePrefix);
  }
}
