/**
 * Decides what a run waits for: whether a student that passed its gate is promoted. A decision is on what its giver has seen, by
 * digest, and the run takes it for that and nothing else. The first decision stands; the same one again is that one, so a call whose
 * answer was lost can be repeated, also when the run is over.
 */
import { WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Approval, ApprovalAnswer, ApprovalDecision } from '../config/approval.js';
import { hasCode, NightstillError } from '../config/errors.js';
import { isFailureCode } from '../config/failures.js';
import { approveUpdateName, rejectUpdateName } from '../config/run-messages.js';
import { asAnswerError } from './run-error.js';
import { RunReader, type RunReference } from './run-reader.js';

export interface DecideRequest {
  /** What the person has seen: one of `openApprovals`, or the `approval` of a node of `status`. */
  readonly seen: Pick<Approval, 'node' | 'candidate' | 'verdict'>;
  /** Who decides. It is recorded, and stands in the model card. */
  readonly by: string;
  readonly reason?: string;
  /** How long to wait for the run to take it, which needs a live orchestrator worker; default 30 seconds. */
  readonly withinMs?: number;
}

/**
 * The run goes on, and promotes what was seen, unless something else serves by then: then it asks anew.
 * @throws approval-mismatch when the run asks about something else, approval-conflict when it was rejected before, approval-not-open
 *   when nothing waits, approval-invalid, approval-unanswered, run-missing, run-unreadable, temporal-unavailable, temporal-refused
 */
export const approve = (run: RunReference, request: DecideRequest): Promise<ApprovalDecision> =>
  decide('approved', run, request);

/**
 * The run completes without a promotion.
 * @throws what `approve` throws; approval-conflict when it was approved before
 */
export const reject = (run: RunReference, request: DecideRequest): Promise<ApprovalDecision> =>
  decide('rejected', run, request);

/** What a run waits for now, in the order of its plan. @throws run-missing, run-unreadable, temporal-unavailable, temporal-refused */
export async function openApprovals(run: RunReference): Promise<Approval[]> {
  const { nodes } = await new RunReader(run).look();
  return nodes.flatMap(({ status, approval }) => (status === 'awaiting-approval' && approval ? [approval] : []));
}

const updateNames = { approved: approveUpdateName, rejected: rejectUpdateName } as const;
type Outcome = keyof typeof updateNames;

const standardWaitMs = 30_000;

async function decide(outcome: Outcome, run: RunReference, request: DecideRequest): Promise<ApprovalDecision> {
  const { client, runId } = run;
  const { by, reason, withinMs = standardWaitMs } = request;
  const { node, candidate, verdict } = request.seen;
  const answer: ApprovalAnswer = { node, candidate, verdict, by, ...(reason !== undefined && { reason }) };
  const handle = client.workflow.getHandle(runId);
  try {
    return await client.withDeadline(Date.now() + withinMs, () =>
      handle.executeUpdate<ApprovalDecision, [ApprovalAnswer]>(updateNames[outcome], { args: [answer] }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw asRefusal(error);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) throw unanswered(runId, error);
    const failure = asAnswerError(runId, error);
    // A run that is over takes no update.
    if (hasCode(failure, 'run-missing')) return decidedBefore(outcome, run, request);
    throw failure;
  }
}

function asRefusal({ cause, message }: WorkflowUpdateFailedError): NightstillError {
  const code = cause instanceof ApplicationFailure ? cause.type : undefined;
  const known = typeof code === 'string' && isFailureCode(code) ? code : 'unexpected';
  return new NightstillError(known, cause?.message ?? message, { cause });
}

const unanswered = (runId: string, cause: Error): NightstillError =>
  new NightstillError(
    'approval-unanswered',
    `run ${runId}: expected it to take the decision, found no answer in time`,
    {
      cause,
      details: { runId },
    },
  );

/** @throws run-missing, approval-conflict, approval-not-open, run-unreadable, temporal-unavailable */
async function decidedBefore(
  outcome: Outcome,
  { client, runId }: RunReference,
  { seen }: DecideRequest,
): Promise<ApprovalDecision> {
  const { nodes, status } = await new RunReader({ client, runId }).look();
  const found = nodes.find(({ id }) => id === seen.node)?.approval?.decision;
  const isOnThis = found?.candidate === seen.candidate && found.verdict === seen.verdict;
  if (found && isOnThis && found.outcome === outcome) return found;
  if (found && isOnThis && found.outcome !== 'expired')
    throw new NightstillError(
      'approval-conflict',
      `${seen.node}: expected no other decision, found that ${found.by} had ${found.outcome} it`,
    );
  throw new NightstillError(
    'approval-not-open',
    `run ${runId}: expected one that waits for a decision, found it ${status}`,
  );
}
