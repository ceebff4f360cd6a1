/**
 * One attempt at a stage: it looks for a result that is there already, then does the work and heartbeats its progress. When five attempts made no new durable step the node fails: with the
 * code of the last one, or with `stage-stuck` where their workers died before they could give a code.
 */
import { Context } from '@temporalio/activity';
import type { Progress } from '../config/child-protocol.js';
import { asNightstillError, NightstillError } from '../config/errors.js';
import type { StageInput, StageOutput } from '../config/plan.js';
import { newestCheckpoint } from '../storage/index.js';
import {
  beginAttempt,
  describeEnds,
  endAttempt,
  fruitlessAttempts,
  fruitlessAttemptsLimit,
  isStuck,
  withFound,
  withProgress,
  type AttemptEnd,
  type HeartbeatDetails,
} from './attempts.js';
import { recordedOutput } from './claimed-work.js';
import { withHeartbeat } from './heartbeat.js';
import type { OpenStores } from './open-stores.js';
import { asTemporalFailure, cancellationReason } from './translate.js';

export async function runAttempt(
  stores: OpenStores,
  input: StageInput,
  work: (report: (progress: Progress) => void) => Promise<StageOutput>,
): Promise<StageOutput> {
  const { info } = Context.current();
  return withHeartbeat(beginAttempt(info.attempt, info.heartbeatDetails), async (heartbeat) => {
    const report = (progress: Progress): void => {
      const { phase, durable } = heartbeat.details;
      const details = withProgress(heartbeat.details, progress);
      heartbeat.report(details, details.phase !== phase || details.durable?.step !== durable?.step);
    };
    try {
      const recorded = await stores.use(input.store, (store) => recordedOutput(store, input));
      if (recorded) return recorded;
      if (isStuck(heartbeat.details)) heartbeat.report(await unlessStuck(stores, input, heartbeat.details), true);
      return await work(report);
    } catch (error) {
      const details = endAttempt(heartbeat.details, endOf(error));
      heartbeat.report(details, true);
      const isSpent = fruitlessAttempts(details) >= fruitlessAttemptsLimit;
      throw isSpent ? asTemporalFailure(error, { isLast: true }) : error;
    }
  });
}

/** The workers of five attempts died without a word of anything new: the store knows what they made. */
async function unlessStuck(
  stores: OpenStores,
  { store: url, stageKey }: StageInput,
  details: HeartbeatDetails,
): Promise<HeartbeatDetails> {
  const found = withFound(details, await stores.use(url, (store) => newestCheckpoint(store, stageKey)));
  if (!isStuck(found)) return found;
  throw new NightstillError(
    'stage-stuck',
    `expected a new durable step within ${fruitlessAttemptsLimit} attempts, found none; they ended: ${describeEnds(details)}`,
  );
}

/** A worker that shuts down, a pause and a reset end an attempt, not the work. */
const toldToEnd: ReadonlySet<string> = new Set(['WORKER_SHUTDOWN', 'PAUSED', 'RESET']);

function endOf(error: unknown): AttemptEnd {
  const reason = cancellationReason();
  if (reason && toldToEnd.has(reason.message)) return 'told-to-end';
  return { code: asNightstillError(error).code };
}
