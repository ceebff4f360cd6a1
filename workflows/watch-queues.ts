/** Has somebody watch who serves the queues of a run, until it ends: who does tells it by a signal. */
import { proxyActivities } from '@temporalio/workflow';
import type { PlanActivities } from '../activities/plan-activities.js';
import { activityNames } from '../config/activity-names.js';
import type { PlanNode } from '../config/plan.js';

export function watchQueues(nodes: readonly PlanNode[]): void {
  const { [activityNames.watchQueues]: watch } = proxyActivities<PlanActivities>({
    activityId: 'nightstill:queues',
    summary: 'watch who serves the queues',
    // Longer than a run. The activity takes no slot of a worker.
    startToCloseTimeout: '365d',
    heartbeatTimeout: '15s',
    retry: { initialInterval: '5s', backoffCoefficient: 1 },
    // It ends with the run and leaves nothing behind in its history.
    cancellationType: 'ABANDON',
  });
  watch({ queues: Object.fromEntries(nodes.map(({ id, queue }) => [id, queue])) }).catch(() => undefined);
}
