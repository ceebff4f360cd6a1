/** When a plan is run, as its file may say it. A run does not look at it: whoever schedules the plan does. */
import { z } from 'zod';
import { durationSchema } from './duration.js';

const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const dayNames = days.map((day) => day.slice(0, 3));

interface CronField {
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const cronFields: readonly CronField[] = [
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: monthNames },
  { least: 0, most: 7, names: dayNames },
];

/** Five fields: minute, hour, day of the month, month, day of the week. */
function isCron(text: string): boolean {
  const fields = text.trim().split(/\s+/);
  return fields.length === cronFields.length && cronFields.every((field, index) => isField(fields[index] ?? '', field));
}

const isField = (text: string, field: CronField): boolean => text.split(',').every((part) => isPart(part, field));

/** A star, a value or a range, each with a step or without. */
function isPart(text: string, { least, most, names = [] }: CronField): boolean {
  const [, from, to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(text) ?? [];
  if (from === undefined || step === '0' || Number(step ?? 1) > most) return false;
  if (from === '*') return to === undefined;
  const value = (word: string): number =>
    /^\d+$/.test(word)
      ? Number(word)
      : names.indexOf(word.toLowerCase()) + (names.includes(word.toLowerCase()) ? least : NaN);
  const [first, last] = [value(from), value(to ?? from)];
  return first >= least && last <= most && first <= last;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

export const timeZoneSchema = z
  .string()
  .refine(isTimeZone, 'the name of a time zone such as Europe/Berlin or UTC')
  .default('UTC');

const oneOrMore = <Item extends z.ZodType>(item: Item) => z.union([item, z.array(item).min(1)]);
const cron = z.string().refine(isCron, 'five cron fields: minute, hour, day of the month, month, day of the week');

const calendar = z.strictObject({
  minute: oneOrMore(z.int().min(0).max(59)).default(0),
  hour: oneOrMore(z.int().min(0).max(23)),
  dayOfMonth: oneOrMore(z.int().min(1).max(31)).optional(),
  month: oneOrMore(z.int().min(1).max(12)).optional(),
  dayOfWeek: oneOrMore(z.enum(days)).optional(),
});

/** Of Temporal. */
const shortestCatchUpMs = 10_000;

/**
 * A night that comes an hour late is over by morning still. One that is left out costs little where the next one finds its rows: of a
 * plan that names the day, that is where a window holds them.
 */
export const scheduleSchema = z
  .strictObject({
    cron: oneOrMore(cron)
      .optional()
      .describe('Five fields, as in `0 3 * * *`: minute, hour, day of the month, month, day of the week.'),
    calendar: oneOrMore(calendar).optional().describe('As cron, by names: `{ hour: 3, dayOfWeek: monday }`.'),
    timeZone: timeZoneSchema.describe('Of cron and calendar: `Europe/Berlin`.'),
    jitter: durationSchema.optional().describe('Each start is put off by a random time of up to this: `10m`.'),
    catchUp: durationSchema
      .refine((milliseconds) => milliseconds >= shortestCatchUpMs, 'at least 10s')
      .prefault('1h')
      .describe(
        'A night that Temporal missed, since it was away, is still started when it is late by no more than this.',
      ),
  })
  .refine(
    ({ cron: byCron, calendar: byCalendar }) => (byCron === undefined) !== (byCalendar === undefined),
    'either cron or calendar',
  );

export type Schedule = z.output<typeof scheduleSchema>;
