/**
 * The one place where our errors become Temporal's. The code becomes the failure's type and the table decides whether
 * Temporal tries again. A cancelled activity rethrows the reason of its cancellation, whatever the abort made fail: only so
 * does Temporal tell a cancel, a pause, a reset and a shutdown from a failure.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { Context } from '@temporalio/activity';
import { asNightstillError } from '../config/errors.js';
import { waits } from '../config/failures.js';

/** The activity with its errors translated. */
export function translating<Input, Output>(
  activity: (input: Input) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      throw asTemporalFailure(error);
    }
  };
}

/** @param isLast the work is given up, whatever the table says of trying again */
export function asTemporalFailure(error: unknown, { isLast = false } = {}): Error {
  const reason = cancellationReason();
  if (reason) return reason;
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  const { code, message, remedy, fault, retryable, details } = asNightstillError(error);
  const failure = ApplicationFailure.create({
    type: code,
    message: `${message}. ${remedy}`,
    nonRetryable: isLast || !retryable,
    ...(waits(code) && { nextRetryDelay: waitMs() }),
    details: [{ ...details, fault }],
  });
  // Where it was thrown, not where it was translated.
  if (error instanceof Error && error.stack !== undefined) failure.stack = error.stack;
  return failure;
}

/** An attempt that only waits for something else is repeated after this long, without backoff. */
const longestWaitMs = 10_000;

function waitMs(): number {
  const { maximumInterval = longestWaitMs } = Context.current().info.retryPolicy ?? {};
  return Math.min(longestWaitMs, msToNumber(maximumInterval));
}

/** Why Temporal cancelled this attempt, if it did: the message says which of the reasons. */
export function cancellationReason(): CancelledFailure | undefined {
  const { cancellationSignal } = Context.current();
  const reason: unknown = cancellationSignal.reason;
  return cancellationSignal.aborted && reason instanceof CancelledFailure ? reason : undefined;
}
