/**
 * Starts a run from any application that has a Temporal client. The run id is the workflow id, so starting is idempotent:
 * the same id with the same plan joins the run that is there, or returns what it returned; a run that failed or was
 * cancelled is started again; the same id with another plan is refused.
 */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { hasCode, NightstillError } from '../config/errors.js';
import type { Json } from '../config/json.js';
import type { PlanFileInput } from '../config/plan-file.js';
import type { DistillInput } from '../config/plan.js';
import { planOfNamedDay } from '../config/scheduled-date.js';
import { queueName } from '../config/queues.js';
import { hexOf } from '../storage/digest.js';
import { describeRun } from './description.js';
import { PayloadReader } from './payloads.js';
import { planDigestOf } from './plan-digest.js';
import { asRunError } from './run-error.js';
import { RunHandle } from './run-handle.js';

export interface StartRequest {
  readonly client: Client;
  /** The content of the plan file, as data. It is checked by the run, where the stage kinds are known. */
  readonly file: PlanFileInput | Json;
  /** The day that `{{scheduledDate}}` in it stands for, `2026-11-27`: that of a night is given by its schedule. Refused where nothing in the plan depends on it. */
  readonly scheduledDate?: string;
  /** Default: derived from the content of the plan file. */
  readonly runId?: string;
  /** The prefix that the workers were started with; default `nightstill`. */
  readonly queuePrefix?: string;
}

const idHexDigits = 16;

/** @throws plan-invalid, run-conflict when a run with this id was started with another plan, run-unreadable, temporal-unavailable, temporal-refused */
export async function start({ client, runId, queuePrefix, ...request }: StartRequest): Promise<RunHandle> {
  const file = datedFile(request);
  const digest = planDigestOf(file);
  const workflowId = runId ?? `nightstill-${hexOf(digest).slice(0, idHexDigits)}`;
  await refuseOtherPlan(client, workflowId, digest);
  const input: DistillInput = { file };
  try {
    await client.workflow.start('distill', {
      workflowId,
      taskQueue: queueName('orchestrator', queuePrefix),
      args: [input],
      memo: { planDigest: digest },
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw asRunError(workflowId, error);
  }
  // Somebody may have started the same id in between.
  await refuseOtherPlan(client, workflowId, digest);
  return new RunHandle(client, workflowId);
}

function datedFile({ file, scheduledDate }: Pick<StartRequest, 'file' | 'scheduledDate'>): Json {
  return scheduledDate === undefined ? (file as Json) : planOfNamedDay(file as Json, scheduledDate, 'scheduledDate');
}

async function refuseOtherPlan(client: Client, runId: string, planDigest: string): Promise<void> {
  const found = await startedPlanOf(client, runId);
  if (found === undefined || found === planDigest) return;
  throw new NightstillError(
    'run-conflict',
    `run ${runId}: expected plan ${planDigest}, found ${found ?? 'a workflow of somebody else'}`,
    {
      details: { runId },
    },
  );
}

/** The plan that a run was started with; null for a workflow that this client did not start; undefined for none at all. */
async function startedPlanOf(client: Client, workflowId: string): Promise<string | null | undefined> {
  try {
    const { workflowExecutionInfo } = await describeRun(client, workflowId);
    const digest = workflowExecutionInfo?.memo?.fields?.['planDigest'];
    const read = digest && (await new PayloadReader(client, workflowId).value([digest]));
    return typeof read === 'string' ? read : null;
  } catch (thrown) {
    const error = asRunError(workflowId, thrown);
    if (hasCode(error, 'run-missing')) return undefined;
    throw error;
  }
}
