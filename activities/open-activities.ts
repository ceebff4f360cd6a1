/** Asks Temporal whether an activity that holds a stage is still open: running, or waiting for its next attempt. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { NightstillError } from '../config/errors.js';
import type { StageOwner } from '../storage/index.js';

/**
 * A workflow that is closed (terminated by a reset, say), or that Temporal no longer knows, has no open activity, though
 * the server goes on listing what was pending when it closed.
 * @throws temporal-unavailable
 */
export async function isActivityOpen(client: Client, { workflowId, runId, activityId }: StageOwner): Promise<boolean> {
  try {
    const { raw, closeTime } = await client.workflow.getHandle(workflowId, runId).describe();
    if (closeTime !== undefined) return false;
    return (raw.pendingActivities ?? []).some((pending) => pending.activityId === activityId);
  } catch (cause) {
    if (cause instanceof WorkflowNotFoundError) return false;
    throw new NightstillError('temporal-unavailable', `expected the state of workflow ${workflowId}, found no answer`, {
      cause,
    });
  }
}
