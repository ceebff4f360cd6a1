/** How a schedule stands, as an application sees it. */
import type { ScheduleDescription } from '@temporalio/client';
import { isNightlyInput, runOfNight, type NightlyInput } from '../config/night.js';

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
  readonly planDigest: string;
}

export interface NightView {
  /** Id of its run: what `status`, `watch` and `explain` take. */
  readonly run: string;
  readonly startedAtMs: number;
  readonly running: boolean;
}

const shownNext = 3;

/** What a schedule stores; undefined for one of somebody else. */
export function storedNight({ action }: ScheduleDescription): NightlyInput | undefined {
  const input: unknown = action.workflowType === nightlyType ? action.args?.[0] : undefined;
  return isNightlyInput(input) ? input : undefined;
}

/** The workflow that a schedule of nightstill starts. */
export const nightlyType = 'nightly';

export function scheduleView(
  { scheduleId: name, state: { paused, note }, info }: ScheduleDescription,
  { timeZone, planDigest }: NightlyInput,
): ScheduleView {
  const running = new Set(info.runningActions.map(({ workflow }) => workflow.workflowId));
  const nights = info.recentActions.flatMap(({ action: { workflow }, takenAt }) => {
    const run = runOfNight(name, workflow.workflowId);
    return run === undefined
      ? []
      : [{ run, startedAtMs: takenAt.getTime(), running: running.has(workflow.workflowId) }];
  });
  return {
    name,
    paused,
    ...(note !== undefined && note !== '' && { note }),
    timeZone,
    nextAtMs: paused ? [] : info.nextActionTimes.slice(0, shownNext).map((time) => time.getTime()),
    nights: nights.reverse(),
    missed: info.numActionsMissedCatchupWindow,
    skipped: info.numActionsSkippedOverlap,
    planDigest,
  };
}
