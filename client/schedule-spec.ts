/** The section `schedule` of a plan file, in the words of Temporal. Loaded only where a schedule is written. */
import type { CalendarSpec, ScheduleSpec } from '@temporalio/client';
import { NightstillError } from '../config/errors.js';
import { nameSchema } from '../config/plan-schema.js';
import { scheduleSchema, type Schedule } from '../config/schedule-schema.js';

const months = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const;

/** @throws plan-invalid when the file says not, or not rightly, when it is run */
export function scheduleOf(file: { readonly schedule?: unknown }): Schedule {
  if (file.schedule === undefined)
    throw invalid('schedule', 'when the plan is run: schedule: { cron: 0 3 * * * }', 'nothing');
  const parsed = scheduleSchema.safeParse(file.schedule);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(['schedule', ...(issue?.path ?? [])].join('.'), issue?.message ?? 'another schedule', 'another value');
}

/** @throws plan-invalid */
export function nameOf(file: { readonly name?: unknown }): string {
  const parsed = nameSchema.safeParse(file.name);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(
    'name',
    issue?.message ?? 'the name of the plan',
    file.name === undefined ? 'nothing' : 'another value',
  );
}

const invalid = (path: string, expected: string, found: string): NightstillError =>
  new NightstillError('plan-invalid', `${path}: expected ${expected}, found ${found}`, { details: { path } });

export function specOf({ cron, calendar, timeZone, jitter }: Schedule): ScheduleSpec {
  return {
    timezone: timeZone,
    ...(jitter !== undefined && { jitter }),
    ...(cron !== undefined && { cronExpressions: listOf(cron) }),
    ...(calendar !== undefined && { calendars: listOf(calendar).map(calendarOf) }),
  };
}

type Calendar = Exclude<NonNullable<Schedule['calendar']>, readonly unknown[]>;

const calendarOf = ({ minute, hour, dayOfMonth, month, dayOfWeek }: Calendar): CalendarSpec => ({
  minute,
  hour,
  ...(dayOfMonth !== undefined && { dayOfMonth }),
  ...(month !== undefined && { month: listOf(month).flatMap((number) => months[number - 1] ?? []) }),
  ...(dayOfWeek !== undefined && {
    dayOfWeek: listOf(dayOfWeek).map((day) => day.toUpperCase() as Uppercase<typeof day>),
  }),
});

const listOf = <Item>(items: Item | Item[]): Item[] => (Array.isArray(items) ? items : [items]);
