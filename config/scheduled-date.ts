/**
 * `{{scheduledDate}}` in a plan: the day that a night is of, so that what is learned depends on the schedule and not on when a
 * worker came to it. Pure: workflows may import it.
 */
import type { Json } from './json.js';

const datePlaceholder = '{{scheduledDate}}';

/** The day at this moment where the clock is that of `timeZone`: `2026-11-27`. */
export function dateIn(timeZone: string, at: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const value = Object.fromEntries(parts.formatToParts(at).map(({ type, value: text }) => [type, text]));
  return `${value['year']}-${value['month']}-${value['day']}`;
}

/** Does a text of the plan wait for its date? */
export const needsDate = (file: unknown): boolean => JSON.stringify(file)?.includes(datePlaceholder) === true;

/** The plan of that day: every text that names the date has it. */
export function fillDate(file: Json, date: string): Json {
  if (typeof file === 'string') return file.replaceAll(datePlaceholder, date);
  if (typeof file !== 'object' || file === null) return file;
  if (Array.isArray(file)) return (file as readonly Json[]).map((item) => fillDate(item, date));
  return Object.fromEntries(Object.entries(file).map(([name, value]) => [name, fillDate(value as Json, date)]));
}
