/**
 * One attempt at a stage: it heartbeats the progress of the work. When five attempts made no new durable step the node fails: with the
 * code of the last one, or with `stage-stuck` where their workers died before they could give a code.
 */
import { Context } from '@temporalio/activity';
import type { Progress } from '../config/child-protocol.js';
import { asNightstillError, NightstillError } from '../config/errors.js';
import {
  beginAttempt,
  describeEnds,
  endAttempt,
  fruitlessAttempts,
  fruitlessAttemptsLimit,
  isStuck,
  withProgress,
  type AttemptEnd,
} from './attempts.js';
import { withHeartbeat } from './heartbeat.js';
import { asTemporalFailure, cancellationReason } from './translate.js';

export async function runAttempt<Result>(
  work: (report: (progress: Progress) => void) => Promise<Result>,
): Promise<Result> {
  const { info } = Context.current();
  const first = beginAttempt(info.attempt, info.heartbeatDetails);
  if (isStuck(first))
    throw new NightstillError(
      'stage-stuck',
      `expected a new durable step within ${fruitlessAttemptsLimit} attempts, found none; they ended: ${describeEnds(first)}`,
    );
  return withHeartbeat(first, async (heartbeat) => {
    const report = (progress: Progress): void => {
      const { phase, durable } = heartbeat.details;
      const details = withProgress(heartbeat.details, progress);
      heartbeat.report(details, details.phase !== phase || details.durable?.step !== durable?.step);
    };
    try {
      return await work(report);
    } catch (error) {
      const details = endAttempt(heartbeat.details, endOf(error));
      heartbeat.report(details, true);
      const isSpent = fruitlessAttempts(details) >= fruitlessAttemptsLimit;
      throw isSpent ? asTemporalFailure(error, { isLast: true }) : error;
    }
  });
}

/** A worker that shuts down, a pause and a reset end an attempt, not the work. */
const toldToEnd: ReadonlySet<string> = new Set(['WORKER_SHUTDOWN', 'PAUSED', 'RESET']);

function endOf(error: unknown): AttemptEnd {
  const reason = cancellationReason();
  if (reason && toldToEnd.has(reason.message)) return 'told-to-end';
  return { code: asNightstillError(error).code };
}
