/**
 * `{{scheduledDate}}` in a plan: the day that a night is of, so that what is learned depends on the schedule and not on when a
 * worker came to it. Where a dataset names a window of days, the night gives its last day, and the text stands for each of them.
 * Pure: workflows may import it.
 */
import { NightstillError } from './errors.js';
import type { Json, JsonObject } from './json.js';

export const datePlaceholder = '{{scheduledDate}}';

/**
 * The day at this moment where the clock is that of `timeZone`: `2026-11-27`.
 * @throws plan-invalid for a time zone that is not known here
 */
export function dateIn(timeZone: string, at: Date): string {
  const value = Object.fromEntries(
    partsIn(timeZone)
      .formatToParts(at)
      .map(({ type, value: text }) => [type, text]),
  );
  return `${value['year']}-${value['month']}-${value['day']}`;
}

function partsIn(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  } catch (cause) {
    throw new NightstillError('plan-invalid', 'timeZone: expected one such as Europe/Berlin, found another text', {
      cause,
    });
  }
}

const dayMs = 24 * 3600 * 1000;

/** A day that there is, as `2026-11-27`. */
export function isDate(text: string): boolean {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : new Date(NaN);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** As many days as the window has, the last one `until`; the oldest first. */
export function daysOfWindow(days: number, until: string): string[] {
  const last = Date.parse(`${until}T00:00:00Z`);
  return Array.from({ length: days }, (_, index) =>
    new Date(last - (days - 1 - index) * dayMs).toISOString().slice(0, 'YYYY-MM-DD'.length),
  );
}

/** The day so many days earlier. */
export const daysBefore = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) - days * dayMs).toISOString().slice(0, 'YYYY-MM-DD'.length);

/** Does a text of the plan wait for its date? */
export const needsDate = (file: unknown): boolean =>
  JSON.stringify(withoutWindows(file))?.includes(datePlaceholder) === true;

/** The plan without the datasets whose windows have their last day: what still names the date waits for it. */
export function withoutWindows(file: unknown): unknown {
  if (typeof file !== 'object' || file === null) return file;
  if (Array.isArray(file)) return file.map(withoutWindows);
  if (hasWindow(file) && file['until'] !== undefined) return { ...file, from: null };
  return Object.fromEntries(Object.entries(file).map(([name, value]) => [name, withoutWindows(value)]));
}

/** The plan of that day: every text that names the date has it, and every window of days ends with it. */
export function fillDate(file: Json, date: string): Json {
  if (typeof file === 'string') return file.replaceAll(datePlaceholder, date);
  if (typeof file !== 'object' || file === null) return file;
  if (Array.isArray(file)) return (file as readonly Json[]).map((item) => fillDate(item, date));
  const filled = Object.fromEntries(
    Object.entries(file).map(([name, value]) => [name, fillDate(value as Json, date)]),
  ) as JsonObject;
  return hasWindow(file) ? { until: date, ...filled, from: file['from'] ?? null } : filled;
}

/**
 * The plan of a day that somebody names, `by` a flag or a field. A day that would change nothing is no day of that plan: who names
 * one expects its rows, and would be given those of every day.
 * @throws plan-invalid
 */
export function planOfNamedDay(file: Json, date: string, by: string): Json {
  if (!isDate(date))
    throw new NightstillError('plan-invalid', `${by}: expected a day such as 2026-11-27, found another text`);
  if (needsDate(file)) return fillDate(file, date);
  throw new NightstillError(
    'plan-invalid',
    `${by}: expected a plan that is another one each day, with ${datePlaceholder} in a text or in the \`from\` of a window, found none of that`,
  );
}

/** A dataset over a window of days: its `from` names the day, and stands for each of them. */
function hasWindow(value: object): value is JsonObject {
  return 'window' in value && 'from' in value && (JSON.stringify(value.from) ?? '').includes(datePlaceholder);
}
