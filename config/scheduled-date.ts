/**
 * `{{scheduledDate}}` in a plan: the day that a night is of, so that what is learned depends on the schedule and not on when a
 * worker came to it. A dataset of files with a window becomes the list of its days. Pure: workflows may import it.
 */
import type { Json, JsonObject } from './json.js';

const datePlaceholder = '{{scheduledDate}}';

const dayMs = 24 * 3600 * 1000;

/** The day at this moment where the clock is that of `timeZone`: `2026-11-27`. */
export function dateIn(timeZone: string, at: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const value = Object.fromEntries(parts.formatToParts(at).map(({ type, value: text }) => [type, text]));
  return `${value['year']}-${value['month']}-${value['day']}`;
}

/** Does a text of the plan wait for its date? */
export const needsDate = (file: unknown): boolean => JSON.stringify(file)?.includes(datePlaceholder) === true;

/** The plan of that day: every text that names the date has it, and a window of days has become their list. */
export function fillDate(file: Json, date: string): Json {
  if (typeof file === 'string') return file.replaceAll(datePlaceholder, date);
  if (typeof file !== 'object' || file === null) return file;
  if (Array.isArray(file)) return (file as readonly Json[]).map((item) => fillDate(item, date));
  const days = daysOf(file as JsonObject, date);
  if (days) return days;
  return Object.fromEntries(Object.entries(file).map(([name, value]) => [name, fillDate(value as Json, date)]));
}

/** Of `{ files, window: 7d }`: the files of each day, the oldest first. Undefined for anything else. */
function daysOf(value: JsonObject, date: string): JsonObject | undefined {
  const { files, window, ...others } = value;
  const days = typeof window === 'string' ? Number(/^(\d+)d$/.exec(window)?.[1] ?? 0) : 0;
  if (typeof files !== 'string' || !(days >= 1 && days <= longestWindowDays)) return undefined;
  const last = Date.parse(`${date}T00:00:00Z`);
  const dates = Array.from({ length: days }, (_, index) =>
    new Date(last - (days - 1 - index) * dayMs).toISOString().slice(0, 10),
  );
  return { ...others, files: [...new Set(dates.map((day) => files.replaceAll(datePlaceholder, day)))] };
}

const longestWindowDays = 366;
