/** What a plan may spend: in each of its runs, and beside that in a calendar period which runs share. */
import { z } from 'zod';
import { timeZoneSchema } from './schedule-schema.js';

// More cannot be counted exactly.
const amount = z.number().positive().max(9_000_000);

const periodSchema = z.strictObject({
  every: z.enum(['day', 'month']).describe('Of the calendar: with each of them the period begins anew.'),
  spendAtMostUsd: amount.describe('In US dollars, of all runs together that share it.'),
  timeZone: timeZoneSchema.describe('Where it begins at midnight: `Europe/Berlin`.'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, '1 to 63 characters of A-Z a-z 0-9 . _ -')
    .default('default')
    .describe('Who gives the same name in the same store shares what is spent, and stops at an amount of their own.'),
});

export const budgetSchema = z.strictObject({
  spendAtMostUsd: amount.describe('In US dollars, of each run: a new run begins with all of it.'),
  period: periodSchema.optional().describe('What all runs of a day or a month may spend together. Default: no limit.'),
});
export type Budget = z.output<typeof budgetSchema>;
export type BudgetPeriod = z.output<typeof periodSchema>;

interface Spending {
  readonly budget?: object | undefined;
  readonly teacher?: { readonly prices?: object | undefined } | undefined;
}

/** Spending is counted by the prices of the teacher. */
export const isCounted = ({ budget, teacher }: Spending): boolean =>
  budget === undefined || teacher?.prices !== undefined;

/** Beside a teacher that is an endpoint. */
export const countedByPrices = {
  path: ['budget'],
  error: 'prices of the teacher beside it, by which spending is counted',
};
