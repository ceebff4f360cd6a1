/**
 * Starts a night at once, whether its schedule is paused or not. Temporal takes the order and says nothing of what comes of it:
 * its counts are looked at until they tell.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { NightstillError } from '../config/errors.js';
import { RunHandle } from './run-handle.js';
import type { ScheduleReference } from './schedule-view.js';
import { coded, describeSchedule } from './schedules.js';

const askEveryMs = 100;
const answerMs = 30_000;

/**
 * @returns the run of the night; an orchestrator may still be to begin it, which its handle waits for
 * @throws night-running when one goes on, schedule-missing, schedule-conflict, run-unreadable, temporal-unavailable, temporal-refused
 */
export async function triggerSchedule(schedule: ScheduleReference): Promise<RunHandle> {
  const { client, name } = schedule;
  const before = await describeSchedule(schedule);
  const [going] = before.nights.filter(({ running }) => running);
  if (going) throw nightRunning(name, going.run);
  const known = new Set(before.nights.map(({ startedAtMs }) => startedAtMs));
  await delay(untilNextSecond(before.nights[0]?.startedAtMs ?? 0));
  await coded(name, () => client.schedule.getHandle(name).trigger(ScheduleOverlapPolicy.SKIP));
  for (const deadline = Date.now() + answerMs; Date.now() < deadline; await delay(askEveryMs)) {
    const now = await describeSchedule(schedule);
    const started = now.nights.find(({ startedAtMs }) => !known.has(startedAtMs));
    if (started) return new RunHandle(client, started.run);
    if (now.skipped > before.skipped) throw nightRunning(name, 'started by somebody else');
  }
  throw new NightstillError('temporal-unavailable', `schedule ${name}: expected a night, found none that was started`);
}

/** Temporal names nights by the second: two of one second would be one run. Its clock may be ahead of ours: never longer than a second. */
const untilNextSecond = (lastMs: number): number =>
  Math.min(1000, Math.max(0, Math.floor(lastMs / 1000) * 1000 + 1000 - Date.now()));

const nightRunning = (name: string, run: string): NightstillError =>
  new NightstillError('night-running', `schedule ${name}: expected no night that goes on, found ${run}`);
