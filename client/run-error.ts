/** What the Temporal client throws about a run, as one of our errors. What it does not know is handed on as it is. */
import { isGrpcServiceError, ServiceError, WorkflowFailedError } from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  ExternalStorageNotConfiguredError,
  NamespaceNotFoundError,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { hasCode, NightstillError } from '../config/errors.js';
import { isFailureCode, type FailureCode } from '../config/failures.js';
import { grpcStatus } from '../config/grpc-status.js';
import { sayUnreachable } from '../config/unreachable.js';

/** A server that is not reached, not in time, or has too much to do. */
const unreachable: readonly unknown[] = [
  grpcStatus.deadlineExceeded,
  grpcStatus.resourceExhausted,
  grpcStatus.unavailable,
];

/** A server that is there and says no. What is not found, where nothing was named, is the namespace. */
const refusing: readonly unknown[] = [
  grpcStatus.invalidArgument,
  grpcStatus.notFound,
  grpcStatus.permissionDenied,
  grpcStatus.failedPrecondition,
  grpcStatus.unimplemented,
  grpcStatus.unauthenticated,
];

/** Of a call about one run. */
export function asRunError(runId: string, error: unknown): unknown {
  if (error instanceof WorkflowFailedError) return asRunEnd(runId, error);
  if (error instanceof WorkflowNotFoundError || isMissing(error))
    return new NightstillError('run-missing', `run ${runId}: expected a run with this id, found none`, {
      cause: error,
      details: { runId },
    });
  return asTemporalError(`run ${runId}`, error, { runId }) ?? error;
}

/** Of a call whose answer Temporal's client itself decodes: what is none of its own errors came out of the data converter. */
export function asAnswerError(runId: string, error: unknown): unknown {
  const known = asRunError(runId, error);
  if (hasCode(known) || known instanceof ServiceError) return known;
  return unreadable(`run ${runId}`, known, { runId });
}

export const unreadable = (what: string, cause: unknown, details: NightstillError['details'] = {}): NightstillError =>
  new NightstillError(
    'run-unreadable',
    cause instanceof ExternalStorageNotConfiguredError
      ? `${what}: expected the externalStorage of the data converter that it was started with, found a data converter without`
      : `${what}: expected payloads that the data converter of this client can read, found others`,
    { cause, details },
  );

/**
 * An error of Temporal's server or client: `temporal-unavailable` or `temporal-refused`; undefined for any other.
 * @param what the message begins with it
 */
export function asTemporalError(
  what: string,
  error: unknown,
  details: NightstillError['details'] = {},
): NightstillError | undefined {
  const about = { cause: error, details };
  if (error instanceof NamespaceNotFoundError)
    return new NightstillError(
      'temporal-refused',
      `${what}: expected the namespace ${error.namespace}, found none`,
      about,
    );
  const grpc = grpcErrorOf(error);
  if (unreachable.includes(grpc?.code))
    return new NightstillError(
      'temporal-unavailable',
      `${what}: expected a Temporal server that answers, found none: ${sayUnreachable(grpc?.details ?? '')}`,
      about,
    );
  if (refusing.includes(grpc?.code))
    return new NightstillError(
      'temporal-refused',
      `${what}: expected Temporal to take the call, found that it refuses it: ${grpc?.details}`,
      about,
    );
  return undefined;
}

/** What the call named is not there. A missing namespace answers with the same status: only the details tell it apart. */
export const isMissing = (error: unknown): boolean =>
  grpcErrorOf(error)?.code === grpcStatus.notFound &&
  !grpcFailureOf(error)
    ?.metadata.get('grpc-status-details-bin')
    .some((details) => details.includes('temporal.api.errordetails.v1.NamespaceNotFoundFailure'));

const grpcFailureOf = (error: unknown) =>
  [error, error instanceof ServiceError ? error.cause : undefined].find(isGrpcServiceError);

/** How a call ended, also inside what Temporal's client wraps around it. */
export function grpcErrorOf(error: unknown): { readonly code: number; readonly details: string } | undefined {
  const { code, details } = grpcFailureOf(error) ?? {};
  if (code === undefined) return undefined;
  // Of a deadline that passes, the server may tell first, and calls that cancelled; whoever aborts a call here cancels it on the client.
  const isLate = code === grpcStatus.cancelled && details !== 'Cancelled on client';
  return { code: isLate ? grpcStatus.deadlineExceeded : code, details: details ?? '' };
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
