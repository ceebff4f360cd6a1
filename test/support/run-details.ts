import type { Client } from '@temporalio/client';

/** What Temporal's UI shows of a run. */
export async function detailsOf({ workflow }: Client, runId: string): Promise<string> {
  const handle = workflow.getHandle(runId);
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}
