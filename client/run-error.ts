/** What the Temporal client throws about a run, as one of our errors. What it does not know is handed on as it is. */
import { isGrpcServiceError, ServiceError, WorkflowFailedError } from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { NightstillError } from '../config/errors.js';
import { isFailureCode, type FailureCode } from '../config/failures.js';

/** UNAVAILABLE of gRPC: the server was not reached. */
const unavailable = 14;

export function asRunError(runId: string, error: unknown): unknown {
  if (error instanceof WorkflowFailedError) return asRunEnd(runId, error);
  if (error instanceof WorkflowNotFoundError)
    return new NightstillError('run-missing', `run ${runId}: expected a run with this id, found none`, {
      cause: error,
      details: { runId },
    });
  if (error instanceof ServiceError && isGrpcServiceError(error.cause) && error.cause.code === unavailable)
    return new NightstillError(
      'temporal-unavailable',
      `run ${runId}: expected a Temporal server, found none: ${error.cause.details}`,
      { cause: error, details: { runId } },
    );
  return error;
}

function asRunEnd(runId: string, { cause, message }: WorkflowFailedError): NightstillError {
  return new NightstillError(codeOf(cause), `run ${runId}: ${cause?.message ?? message}`, {
    cause,
    details: { runId },
  });
}

function codeOf(end: Error | undefined): FailureCode {
  if (end instanceof CancelledFailure) return 'run-cancelled';
  if (end instanceof TerminatedFailure || end instanceof TimeoutFailure) return 'run-terminated';
  const code = end instanceof ApplicationFailure ? end.type : undefined;
  return typeof code === 'string' && isFailureCode(code) ? code : 'unexpected';
}
