/**
 * How a schedule stands, as an application sees it. Told from Temporal's description as it is on the wire: all but the plan stands there
 * in clear.
 */
import type { Client } from '@temporalio/client';
import { isNightlyInput, nightWorkflowId, runOfNight, type NightlyInput } from '../config/night.js';
import { PayloadReader } from './payloads.js';
import { millisecondsOf } from './timestamps.js';

/** A schedule by its name, which is that of its plan. */
export interface ScheduleReference {
  readonly client: Client;
  readonly name: string;
}

export interface ScheduleView {
  /** That of its plan. */
  readonly name: string;
  readonly paused: boolean;
  /** Why it is paused, or was resumed: of whoever did it, or of Temporal when a night failed. */
  readonly note?: string;
  readonly timeZone: string;
  /** The next three, as long as it is not paused. */
  readonly nextAtMs: readonly number[];
  /** The newest ones, the newest first. */
  readonly nights: readonly NightView[];
  /** Nights that were left out since Temporal was away for longer than `catchUp`. */
  readonly missed: number;
  /** Nights that were left out since the one before went on. */
  readonly skipped: number;
  /** Absent where this client lacks the data converter that the schedule was made with, and so cannot change it. */
  readonly planDigest?: string;
}

export interface NightView {
  /** Id of its run: what `status`, `watch` and `explain` take. */
  readonly run: string;
  readonly startedAtMs: number;
  readonly running: boolean;
}

const shownNext = 3;

/** As it is on the wire. */
export type RawSchedule = Awaited<ReturnType<Client['workflowService']['describeSchedule']>>;

export function describeRawSchedule({ client, name: scheduleId }: ScheduleReference): Promise<RawSchedule> {
  return client.workflowService.describeSchedule({ namespace: client.options.namespace, scheduleId });
}

/** The workflow that a schedule of nightstill starts. */
export const nightlyType = 'nightly';

/** What it starts, if it starts a workflow of this type. */
const nightlyActionOf = ({ schedule }: RawSchedule) =>
  schedule?.action?.startWorkflow?.workflowType?.name === nightlyType ? schedule.action.startWorkflow : undefined;

/** Somebody else may call a workflow `nightly`, too. */
export const isNamedAsOurs = (name: string, raw: RawSchedule): boolean =>
  nightlyActionOf(raw)?.workflowId === nightWorkflowId(name);

/** What a schedule stores; undefined for one of somebody else. @throws run-unreadable */
export async function storedNight(
  { client, name }: ScheduleReference,
  raw: RawSchedule,
): Promise<NightlyInput | undefined> {
  const action = nightlyActionOf(raw);
  const payloads = new PayloadReader(client, action?.workflowId ?? '', `schedule ${name}`);
  const input = await payloads.value(action?.input?.payloads);
  return isNightlyInput(input) ? input : undefined;
}

/** @param stored undefined where it cannot be read */
export function scheduleView(name: string, { schedule, info }: RawSchedule, stored?: NightlyInput): ScheduleView {
  const { paused, notes: note } = schedule?.state ?? {};
  const running = new Set(info?.runningWorkflows?.map(({ workflowId }) => workflowId));
  const nights = (info?.recentActions ?? []).flatMap(({ startWorkflowResult, actualTime }) => {
    const workflowId = startWorkflowResult?.workflowId ?? '';
    const run = runOfNight(name, workflowId);
    return run === undefined
      ? []
      : [{ run, startedAtMs: millisecondsOf(actualTime) ?? 0, running: running.has(workflowId) }];
  });
  const nextAtMs = (info?.futureActionTimes ?? []).flatMap((time) => millisecondsOf(time) ?? []);
  return {
    name,
    paused: paused === true,
    ...(note && { note }),
    timeZone: stored?.timeZone ?? schedule?.spec?.timezoneName ?? '',
    nextAtMs: paused ? [] : nextAtMs.slice(0, shownNext),
    nights: nights.reverse(),
    missed: Number(info?.missedCatchupWindow ?? 0),
    skipped: Number(info?.overlapSkipped ?? 0),
    ...(stored && { planDigest: stored.planDigest }),
  };
}
