/** Why a run did not say how it stands: a query is answered by a worker, and there may be none though the run is there. */
import { QueryNotRegisteredError } from '@temporalio/client';
import { hasCode, NightstillError } from '../config/errors.js';
import { grpcStatus } from '../config/grpc-status.js';
import { describeRun } from './description.js';
import { nightOf } from './night-of-run.js';
import { asAnswerError, grpcErrorOf } from './run-error.js';
import type { RunReference } from './run-reader.js';

/** How long it may take to find out. */
const answerMs = 5000;

export async function asQueryError(run: RunReference, error: unknown): Promise<unknown> {
  const { runId } = run;
  const about = { cause: error, details: { runId } };
  if (error instanceof QueryNotRegisteredError)
    return new NightstillError('run-missing', `run ${runId}: expected a run, found a workflow of somebody else`, about);
  const reason = await reasonOfSilence(run, error);
  if (reason === undefined) return asAnswerError(runId, error);
  return new NightstillError(
    'run-unanswered',
    `run ${runId}: expected an orchestrator worker that answers, found none: ${reason}`,
    about,
  );
}

/** Undefined where it is something else. */
async function reasonOfSilence(run: RunReference, error: unknown): Promise<string | undefined> {
  const { client, runId } = run;
  const { code, details } = grpcErrorOf(error) ?? {};
  // Nobody polls its queue, or the run has not taken its first step.
  if (code === grpcStatus.failedPrecondition) return details;
  const isSo = (asked: Promise<unknown>): Promise<boolean> => asked.then(Boolean, () => false);
  return client.withDeadline(Date.now() + answerMs, async () => {
    // Was it the server that gave no answer, or the worker?
    if (code === grpcStatus.deadlineExceeded) return (await isSo(describeRun(client, runId))) ? details : undefined;
    if (!hasCode(asAnswerError(runId, error), 'run-missing')) return undefined;
    return (await isSo(nightOf(run, error).then((night) => night.run === 'to begin')))
      ? 'its night has not begun it yet'
      : undefined;
  });
}
