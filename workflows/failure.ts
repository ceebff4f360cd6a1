/**
 * How a run fails: with the code of what went wrong as the type of its failure, so that it is read without unwrapping.
 * Anything else that is thrown would fail the workflow task, which Temporal repeats for ever.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TemporalFailure,
  TimeoutFailure,
} from '@temporalio/common';
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { asNightstillError, NightstillError } from '../config/errors.js';
import type { RunOutcome } from '../config/plan.js';

export function asRunFailure(error: unknown, place: string): TemporalFailure {
  if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) {
    const { type, message, details } = error.cause;
    return runFailure(type ?? 'unexpected', `${place}: ${message}`, details ?? []);
  }
  if (error instanceof ActivityFailure && error.cause instanceof TimeoutFailure)
    return asRunFailure(
      new NightstillError('stage-stuck', `expected an answer of ${error.activityType}, found none in time`),
      place,
    );
  if (error instanceof TemporalFailure) return error;
  const { code, message, remedy, fault } = asNightstillError(error);
  return runFailure(code, `${place}: ${message}. ${remedy}`, [{ fault }]);
}

/**
 * What a workflow that somebody asked to end ends with, whatever it failed with meanwhile: Temporal gives an activity no other attempt
 * then, so that one whose worker is dead runs out of time, and one that has not heard of it yet fails with any code. Undefined where
 * nobody has asked, and where nothing has failed.
 */
export function askedToEnd(failures: readonly unknown[]): TemporalFailure | undefined {
  if (failures.length === 0 || !CancellationScope.current().consideredCancelled) return undefined;
  return failures.find(isCancelled) ?? new CancelledFailure('it was asked to end');
}

const isCancelled = (error: unknown): error is TemporalFailure => isCancellation(error);

/** As records and tables keep it. */
export const describeFailure = (failure: TemporalFailure): NonNullable<RunOutcome['failure']> => ({
  code: (failure instanceof ApplicationFailure && failure.type) || 'unexpected',
  message: failure.message,
});

const runFailure = (type: string, message: string, details: unknown[]): ApplicationFailure =>
  ApplicationFailure.create({ type, message, details, nonRetryable: true });
