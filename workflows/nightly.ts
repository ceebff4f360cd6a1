/**
 * One night of a schedule: the run of its plan, as a child with an id of its own, awaited to its end, so that the schedule sees
 * a night that goes on and a night that failed. The date of a night is the one that it was scheduled for, however late it comes.
 * A run that somebody cancelled ends its night without a fault: the schedule goes on.
 */
import {
  ApplicationFailure,
  ChildWorkflowFailure,
  defineSearchAttributeKey,
  TerminatedFailure,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { executeChild, isCancellation, workflowInfo } from '@temporalio/workflow';
import { NightstillError } from '../config/errors.js';
import { isNightlyInput, nightRunId, type NightlyInput, type NightResult } from '../config/night.js';
import type { Json } from '../config/json.js';
import { deepestLevel, isTooDeep } from '../config/nesting.js';
import type { RunResult } from '../config/plan.js';
import { dateIn, fillDate, needsDate } from '../config/scheduled-date.js';
import type { distill } from './distill.js';
import { askedToEnd, asRunFailure } from './failure.js';

/** Of every workflow that a schedule starts: the time it was due, before jitter; of one that was triggered, that moment. */
const scheduledStartTime = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

export async function nightly(input: NightlyInput): Promise<NightResult> {
  const { run, file, planDigest } = readNight(input);
  try {
    const { nodes } = await executeChild<typeof distill>('distill', {
      workflowId: run,
      args: [{ file }],
      ...(planDigest !== undefined && { memo: { planDigest } }),
      // A night that is ended by force asks its run to make its work durable.
      parentClosePolicy: 'REQUEST_CANCEL',
    });
    return { run, status: 'completed', ...stagesOf({ nodes }) };
  } catch (error) {
    const cancellation = askedToEnd([error]);
    if (cancellation) throw cancellation;
    if (!isCancellation(error)) throw asNightFailure(run, error);
    return { run, status: 'cancelled', ran: [], reused: [] };
  }
}

interface RunOfNight {
  /** Its id. */
  readonly run: string;
  readonly file: unknown;
  /** Whoever starts the same plan by hand joins the run. Absent of a plan that was filled: it is another one. */
  readonly planDigest?: string;
}

/** @throws ApplicationFailure where the night was started with something else than a schedule holds */
function readNight(input: unknown): RunOfNight {
  try {
    if (!isNightlyInput(input)) throw refused('expected what a schedule holds, found something else');
    const { schedule, file, planDigest, timeZone } = input;
    if (isTooDeep(file)) throw refused(`file: expected at most ${deepestLevel} levels, found more`);
    const scheduledAt = workflowInfo().typedSearchAttributes.get(scheduledStartTime) ?? workflowInfo().startTime;
    const run = nightRunId(schedule, scheduledAt);
    return needsDate(file)
      ? { run, file: fillDate(file as Json, dateIn(timeZone, scheduledAt)) }
      : { run, file, planDigest };
  } catch (error) {
    throw asRunFailure(error, 'night');
  }
}

const refused = (message: string): NightstillError => new NightstillError('plan-invalid', message);

function stagesOf({ nodes }: RunResult): Pick<NightResult, 'ran' | 'reused'> {
  const ids = (wasReused: boolean): string[] =>
    Object.entries(nodes).flatMap(([id, { reused }]) => (reused === wasReused ? [id] : []));
  return { ran: ids(false), reused: ids(true) };
}

/** With the code that the run failed with. */
function asNightFailure(run: string, error: unknown): unknown {
  if (error instanceof WorkflowExecutionAlreadyStartedError)
    return asRunFailure(new NightstillError('run-conflict', 'expected a run of this night, found another one'), run);
  const cause = error instanceof ChildWorkflowFailure ? error.cause : undefined;
  if (cause instanceof ApplicationFailure) return cause;
  if (cause instanceof TerminatedFailure)
    return asRunFailure(new NightstillError('run-terminated', 'expected its end, found that it was terminated'), run);
  return asRunFailure(error, run);
}
