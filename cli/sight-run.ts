/** One look at a run: how it stands by Temporal, its live state by the query, and what its stages in flight said last. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, WorkflowNotFoundError } from '@temporalio/common';
import { RunHandle } from '../client/index.js';
import type { Progress } from '../config/child-protocol.js';
import { NightstillError } from '../config/errors.js';
import { asNightstillError } from '../config/errors.js';
import type { RunState } from '../config/plan.js';
import type { Activity, RunStatus, Sighting } from './view/run-view.js';

const answerMs = 3000;
const nothing: RunState = { plan: '', nodes: [] };

const statuses: Readonly<Record<string, RunStatus>> = {
  RUNNING: 'running',
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
  FAILED: 'failed',
};

/** @throws run-missing, temporal-unavailable */
export async function sightRun(client: Client, runId: string): Promise<Sighting> {
  const handle = new RunHandle(client, runId);
  const { status, raw } = await describe(client, runId);
  const state = await client.withDeadline(Date.now() + answerMs, () => handle.state()).catch(() => undefined);
  const runStatus = statuses[status.name] ?? 'terminated';
  const failure = runStatus === 'running' || runStatus === 'completed' ? undefined : await failureOf(handle);
  const activities: Record<string, Activity> = {};
  for (const pending of raw.pendingActivities ?? []) {
    if (pending.activityId) activities[pending.activityId] = activityOf(pending);
  }
  return {
    status: runStatus,
    state: state ?? nothing,
    activities,
    ...(state === undefined &&
      runStatus === 'running' && { notice: 'No orchestrator worker answers: start one with `nightstill worker`.' }),
    ...(failure !== undefined && { failure }),
  };
}

async function describe(client: Client, runId: string) {
  try {
    return await client.workflow.getHandle(runId).describe();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new NightstillError('run-missing', `run ${runId}: expected a run with this id, found none`, { cause: error });
  }
}

async function failureOf(handle: RunHandle): Promise<string> {
  try {
    await handle.result();
    return '';
  } catch (error) {
    const { code, message } = asNightstillError(error);
    return `${code}: ${message}`;
  }
}

type Pending = NonNullable<Awaited<ReturnType<typeof describe>>['raw']['pendingActivities']>[number];

function activityOf({ heartbeatDetails, attempt, lastFailure }: Pending): Activity {
  const [payload] = heartbeatDetails?.payloads ?? [];
  const progress = payload ? defaultPayloadConverter.fromPayload<Progress | null>(payload) : null;
  const code = lastFailure?.applicationFailureInfo?.type;
  return {
    ...(progress && { phase: progress.phase, ...(progress.facts && { facts: progress.facts }) }),
    ...(progress?.durable && { durableStep: progress.durable.step }),
    attempt: attempt ?? 1,
    ...(lastFailure && { lastFailure: code ?? lastFailure.message ?? '' }),
  };
}
