/** What Temporal says of a run at once: as it is on the wire, so that nothing is decoded that this client may not be able to. */
import type { Client } from '@temporalio/client';
import type { RunViewStatus } from './run-view.js';

export async function describeRun(client: Client, workflowId: string) {
  const { namespace } = client.options;
  return client.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId } });
}

export type Description = Awaited<ReturnType<typeof describeRun>>;
export type PendingActivity = NonNullable<Description['pendingActivities']>[number];

/** Of `WorkflowExecutionStatus`. */
const statuses: Readonly<Record<number, RunViewStatus>> = {
  2: 'completed',
  3: 'failed',
  4: 'cancelled',
  5: 'terminated',
  7: 'terminated',
};

export const runStatusOf = (status: unknown): RunViewStatus => statuses[Number(status)] ?? 'running';
