/**
 * Counts the attempts at a stage that made no new durable step. After five in a row the node fails. The count is kept in the details
 * of heartbeats, so that it survives attempts and the death of workers. Attempts that only waited for something else, or were told to
 * end, are not counted. Pure.
 */
import type { Progress } from '../config/child-protocol.js';
import { waits } from '../config/failures.js';

export const fruitlessAttemptsLimit = 5;

/** What a heartbeat says of attempts, beside the progress. */
export interface AttemptCount {
  readonly attempt: number;
  /** The attempts after this one made no progress. Attempts that are not counted advance this number. */
  readonly lastProgressAttempt: number;
  /** How those attempts ended, as far as they could say. */
  readonly codes: readonly string[];
}

export type HeartbeatDetails = Partial<Progress> & AttemptCount;

/** The details that an attempt begins with, from the last heartbeat of an earlier one. */
export function beginAttempt(attempt: number, before: unknown): HeartbeatDetails {
  const details = readDetails(before);
  // After a reset Temporal counts attempts from one again, and so does this.
  const durable = details?.durable && { durable: details.durable };
  if (details === undefined || details.attempt >= attempt)
    return { ...durable, attempt, lastProgressAttempt: attempt - 1, codes: [] };
  return { ...durable, attempt, lastProgressAttempt: details.lastProgressAttempt, codes: details.codes };
}

/** A new durable step starts the count again. */
export function withProgress(details: HeartbeatDetails, progress: Progress): HeartbeatDetails {
  const { attempt, lastProgressAttempt, codes } = details;
  const known = details.durable?.step ?? 0;
  const step = progress.durable?.step ?? 0;
  const durable = step >= known ? progress.durable : details.durable;
  const count = step > known ? { lastProgressAttempt: attempt, codes: [] } : { lastProgressAttempt, codes };
  return { ...progress, ...(durable && { durable }), attempt, ...count };
}

/** How an attempt ended: with a code, or because it was told to (worker shutdown, pause, reset). */
export type AttemptEnd = { readonly code: string } | 'told-to-end';

export function endAttempt(details: HeartbeatDetails, end: AttemptEnd): HeartbeatDetails {
  const { attempt, lastProgressAttempt, codes } = details;
  if (end === 'told-to-end' || waits(end.code))
    return { ...details, lastProgressAttempt: Math.min(attempt, lastProgressAttempt + 1) };
  return attempt > lastProgressAttempt ? { ...details, codes: [...codes, end.code] } : details;
}

/** How many attempts up to `attempt` made no progress. */
export const fruitlessAttempts = ({ attempt, lastProgressAttempt }: AttemptCount): number =>
  attempt - lastProgressAttempt;

/** Were there five before this one began? Then none of them could fail the node itself: their workers died. */
export const isStuck = (details: AttemptCount): boolean => fruitlessAttempts(details) > fruitlessAttemptsLimit;

/** `child-died, no answer (4 times)`: attempts that said nothing were killed, or their worker was. */
export function describeEnds({ attempt, lastProgressAttempt, codes }: AttemptCount): string {
  const silent = attempt - 1 - lastProgressAttempt - codes.length;
  return [...codes, ...(silent > 0 ? [`no answer${silent === 1 ? '' : ` (${silent} times)`}`] : [])].join(', ');
}

/** Details of another form, as another release may have left, are ignored. */
function readDetails(before: unknown): HeartbeatDetails | undefined {
  if (typeof before !== 'object' || before === null) return undefined;
  const { attempt, lastProgressAttempt, codes } = before as Partial<Record<keyof HeartbeatDetails, unknown>>;
  const isCount = typeof attempt === 'number' && typeof lastProgressAttempt === 'number';
  return isCount && Array.isArray(codes) ? (before as HeartbeatDetails) : undefined;
}
