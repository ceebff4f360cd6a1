/**
 * Asks Temporal whether an activity that holds a stage is still open: running, or waiting for its next attempt. It may be of another
 * namespace, since namespaces of one server may share a store. Where that namespace cannot be read nobody knows, and the stage is left
 * to whoever holds it.
 */
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { hasCode, NightstillError } from '../config/errors.js';
import { grpcStatus } from '../config/grpc-status.js';
import type { OpenQuestion, StageOwner } from '../storage/index.js';

/** The namespace is not there, or is none of ours. */
const unreadableBy: readonly unknown[] = [grpcStatus.notFound, grpcStatus.permissionDenied, grpcStatus.unauthenticated];

/** @throws namespace-unreadable, temporal-unavailable */
export async function isActivityOpen(
  client: Client,
  owner: StageOwner,
  { unreadable }: OpenQuestion = {},
): Promise<boolean> {
  const { activityId, namespace = client.options.namespace } = owner;
  try {
    const described = await describe(client, namespace, owner);
    // Temporal forgot it, or it is closed (terminated by a reset, say): the server goes on listing what was pending when it closed.
    if (described === undefined || described.workflowExecutionInfo?.closeTime) return false;
    return described.pendingActivities.some((pending) => pending.activityId === activityId);
  } catch (cause) {
    const error = unanswered(cause, namespace, owner);
    if (unreadable === 'open' && hasCode(error, 'namespace-unreadable')) return true;
    throw error;
  }
}

/** Undefined where the namespace is there, and the workflow is not. */
async function describe({ workflowService }: Client, namespace: string, { workflowId, runId }: StageOwner) {
  try {
    return await workflowService.describeWorkflowExecution({ namespace, execution: { workflowId, runId } });
  } catch (error) {
    if (!isGrpcServiceError(error) || Number(error.code) !== grpcStatus.notFound) throw error;
    // Of a namespace that is not there, this is not found either.
    await workflowService.describeNamespace({ namespace });
    return undefined;
  }
}

function unanswered(cause: unknown, namespace: string, { workflowId }: StageOwner): NightstillError {
  if (isGrpcServiceError(cause) && unreadableBy.includes(cause.code))
    return new NightstillError(
      'namespace-unreadable',
      `expected to read in namespace ${namespace} whether workflow ${workflowId} still works at the stage that it holds, found: ${cause.details}`,
      { cause },
    );
  return new NightstillError('temporal-unavailable', `expected the state of workflow ${workflowId}, found no answer`, {
    cause,
  });
}
