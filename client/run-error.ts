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

/** Of gRPC: a server that is not reached, not in time, or has too much to do; and what is not there. */
const unreachable: readonly unknown[] = [4, 8, 14];
const notFound = 5;

export function asRunError(runId: string, error: unknown): unknown {
  if (error instanceof WorkflowFailedError) return asRunEnd(runId, error);
  const grpc = grpcErrorOf(error);
  if (error instanceof WorkflowNotFoundError || grpc?.code === notFound)
    return new NightstillError('run-missing', `run ${runId}: expected a run with this id, found none`, {
      cause: error,
      details: { runId },
    });
  return asUnavailable(`run ${runId}`, error, { runId }) ?? error;
}

/** Undefined where Temporal was there. */
export function asUnavailable(what: string, error: unknown, details = {}): NightstillError | undefined {
  const grpc = grpcErrorOf(error);
  if (!grpc || !unreachable.includes(grpc.code)) return undefined;
  return new NightstillError(
    'temporal-unavailable',
    `${what}: expected a Temporal server, found none: ${grpc.details}`,
    {
      cause: error,
      details,
    },
  );
}

const grpcErrorOf = (error: unknown) =>
  [error, error instanceof ServiceError ? error.cause : undefined].find(isGrpcServiceError);

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
