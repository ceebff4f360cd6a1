/**
 * How long a child may take to make its work durable once it is asked to stop. A worker that ends does so by force after a while:
 * its children are ended a little before, so that their attempts still say how they went and Temporal need not miss them. A cancel, a
 * pause and a reset press nobody.
 */
import { CancelledFailure } from '@temporalio/common';
import { longestStopMs } from './child.js';

/** Told by the plugin once it sees the options of the worker. */
export interface WorkerEnd {
  /** Between the request to stop and the end by force; absent where the worker waits for as long as it takes. */
  forcedAfterMs?: number | undefined;
}

/** To tell Temporal how the attempt ended. */
const toTellMs = 5000;

export function stopWithinMs(reason: unknown, { forcedAfterMs }: WorkerEnd): number {
  const isShutdown = reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN';
  if (!isShutdown || forcedAfterMs === undefined) return longestStopMs;
  return Math.min(longestStopMs, Math.max(forcedAfterMs - toTellMs, forcedAfterMs / 2));
}
