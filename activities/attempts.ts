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
  /** Of the last checkpoint that started the count again though no heartbeat had told of it. */
  readonly foundStep?: number;
}

export type HeartbeatDetails = Partial<Progress> & AttemptCount;

/** The details that an attempt begins with, from the last heartbeat of an earlier one. */
export function beginAttempt(attempt: number, before: unknown): HeartbeatDetails {
  const details = readDetails(before);
  // After a reset Temporal counts attempts from one again, and so does this.
  const kept = details && keptOf(details);
  if (details === undefined || details.attempt >= attempt)
    return { ...kept, attempt, lastProgressAttempt: attempt - 1, codes: [] };
  return { ...kept, attempt, lastProgressAttempt: details.lastProgressAttempt, codes: details.codes };
}

/** What is true beyond an attempt. */
const keptOf = ({ durable, foundStep }: { durable?: Progress['durable'] | undefined; foundStep?: number }) => ({
  ...(durable && { durable }),
  ...(foundStep !== undefined && { foundStep }),
});

/** A new durable step starts the count again. */
export function withProgress(details: HeartbeatDetails, progress: Progress): HeartbeatDetails {
  const { attempt, lastProgressAttempt, codes } = details;
  const known = details.durable?.step ?? 0;
  const step = progress.durable?.step ?? 0;
  const durable = step >= known ? progress.durable : details.durable;
  const count = step > known ? { lastProgressAttempt: attempt, codes: [] } : { lastProgressAttempt, codes };
  return { ...progress, ...keptOf({ ...details, durable }), attempt, ...count };
}

/**
 * Starts the count again where the store has a checkpoint of a later claim than any heartbeat told: whoever wrote it died before the
 * next heartbeat. The next time its step must be a later one too, or a stage that writes the same step in every attempt would never be
 * stuck. (Steps of heartbeats and of checkpoints are not compared: each stage counts them in units of its own.)
 */
export function withFound(details: HeartbeatDetails, found: Progress['durable']): HeartbeatDetails {
  const { attempt, durable, foundStep = 0 } = details;
  if (found === undefined || found.fence <= (durable?.fence ?? 0) || found.step <= foundStep) return details;
  return { ...details, foundStep: found.step, lastProgressAttempt: attempt - 1, codes: [] };
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
