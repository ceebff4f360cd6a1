/** A night of a schedule: what its workflow is given and returns, and how its run is named. Pure: workflows may import it. */
import { namePattern } from './names.js';

/** What a schedule stores: the plan as data, so that a night needs no file. */
export interface NightlyInput {
  /** Name of the schedule, which is that of the plan. */
  readonly schedule: string;
  readonly file: unknown;
  readonly planDigest: string;
  /** Of the schedule: what `{{scheduledDate}}` is a date in. */
  readonly timeZone: string;
}

/** Whoever starts a night by hand may send anything. Whether the file is a plan, its run tells. */
export function isNightlyInput(input: unknown): input is NightlyInput {
  if (typeof input !== 'object' || input === null) return false;
  const { schedule, planDigest, timeZone } = input as Record<string, unknown>;
  return typeof schedule === 'string' && namePattern.test(schedule) && [planDigest, timeZone].every(isText);
}

const isText = (value: unknown): value is string => typeof value === 'string';

export interface NightResult {
  /** Id of its run. */
  readonly run: string;
  readonly status: 'completed' | 'cancelled';
  /** Ids of the nodes that ran: none in a night in which nothing had changed. */
  readonly ran: readonly string[];
  readonly reused: readonly string[];
}

/** A schedule and the second in which it was due, in UTC: `support-20261127-030000`. */
export function nightRunId(schedule: string, scheduledAt: Date): string {
  const [day = '', time = ''] = scheduledAt.toISOString().replaceAll(/[-:]/g, '').split('T');
  return `${schedule}-${day}-${time.slice(0, 6)}`;
}

const nightPrefix = 'nightly-';

/** Temporal adds the time at which it is due: `nightly-support-2026-11-27T03:00:00Z`. */
export const nightWorkflowId = (schedule: string): string => `${nightPrefix}${schedule}`;

/** The run of the night that this workflow is; undefined for any other workflow. */
export function runOfNight(schedule: string, workflowId: string): string | undefined {
  const start = `${nightWorkflowId(schedule)}-`;
  const at = workflowId.startsWith(start) ? new Date(workflowId.slice(start.length)) : new Date(NaN);
  return Number.isNaN(at.getTime()) ? undefined : nightRunId(schedule, at);
}

/** The workflow of the night whose run would have this id; undefined for an id that no night gives its run. */
export function nightOfRun(run: string): string | undefined {
  const [, schedule, ...at] = /^(.+)-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/.exec(run) ?? [];
  if (schedule === undefined) return undefined;
  const [year, month, day, hour, minute, second] = at;
  return `${nightWorkflowId(schedule)}-${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}
