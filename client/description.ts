/** What Temporal says of a run at once: as it is on the wire, so that nothing is decoded that this client may not be able to. */
import type { Client } from '@temporalio/client';

export async function describeRun(client: Client, workflowId: string) {
  const { namespace } = client.options;
  return client.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId } });
}

export type Description = Awaited<ReturnType<typeof describeRun>>;
export type PendingActivity = NonNullable<Description['pendingActivities']>[number];
