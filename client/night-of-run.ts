/**
 * The night that a run of a schedule belongs to. Its run is a child that an orchestrator starts, and the id of the run is known before:
 * of a run that Temporal does not have, the night tells whether it is still to begin, and how the night ended if it never will.
 */
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { hasCode, NightstillError } from '../config/errors.js';
import { isFailureCode } from '../config/failures.js';
import { nightOfRun } from '../config/night.js';
import { describeRun, runStatusOf } from './description.js';
import { PayloadReader } from './payloads.js';
import { asRunError } from './run-error.js';
import { RunHistory, type RunEndRecord } from './run-history.js';
import { nightlyType } from './schedule-view.js';
import { millisecondsOf } from './timestamps.js';

interface Night {
  /** Id of its workflow. */
  readonly night: string;
  readonly queue: string;
  readonly startedAtMs: number;
  /** `begun`: it has started its run, which is there unless Temporal has forgotten it; `over`: it never will. */
  readonly run: 'to begin' | 'begun' | 'over';
  /** Of a night that is over. */
  readonly end?: RunEndRecord;
}

interface MissingRun {
  readonly client: Client;
  readonly runId: string;
}

/**
 * @param missing what was thrown where the run was asked for
 * @throws it, where it says something else than that the run is missing, and where there is no such night; run-unreadable
 */
export async function nightOf({ client, runId }: MissingRun, missing: unknown): Promise<Night> {
  const night = hasCode(asRunError(runId, missing), 'run-missing') ? nightOfRun(runId) : undefined;
  const info = night === undefined ? undefined : await descriptionOf(client, night);
  if (night === undefined || info?.type?.name !== nightlyType) throw missing;
  const found = { night, queue: info.taskQueue ?? '', startedAtMs: millisecondsOf(info.startTime) ?? 0 };
  const { namespace } = client.options;
  const execution = { workflowId: night, runId: info.execution?.runId ?? '' };
  const { history } = await client.workflowService.getWorkflowExecutionHistory({ namespace, execution });
  const events = history?.events ?? [];
  if (events.some((event) => event.childWorkflowExecutionStartedEventAttributes)) return { ...found, run: 'begun' };
  if (runStatusOf(info.status) === 'running') return { ...found, run: 'to begin' };
  const read = new RunHistory(new PayloadReader(client, night, `night ${night}`));
  await read.add(events);
  return { ...found, run: 'over', ...(read.end && { end: read.end }) };
}

/**
 * Waits until the run of its night has begun; since a night waits for its run, that may be when the run is over.
 * @throws what `nightOf` throws; the code that the night ended with before its run began
 */
export async function untilBegun(run: MissingRun, missing: unknown): Promise<void> {
  let found = await nightOf(run, missing);
  if (found.run === 'to begin') {
    await ended(run.client, found.night);
    found = await nightOf(run, missing);
  }
  if (found.run !== 'over') return;
  const { code = '', message = 'it ended' } = found.end?.failure ?? {};
  throw new NightstillError(
    isFailureCode(code) ? code : 'unexpected',
    `run ${run.runId}: expected its night to begin it, found: ${message}`,
    { cause: missing, details: { runId: run.runId } },
  );
}

async function descriptionOf(client: Client, night: string) {
  try {
    return (await describeRun(client, night)).workflowExecutionInfo;
  } catch (error) {
    if (hasCode(asRunError(night, error), 'run-missing')) return undefined;
    throw error;
  }
}

async function ended(client: Client, night: string): Promise<void> {
  try {
    await client.workflow.getHandle(night).result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
  }
}
