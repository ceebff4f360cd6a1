/** The budgets that bind a call, by their names: that of its run, and that of a calendar period, which runs share. */
import type { Budget, BudgetPeriod } from '../../config/budget-schema.js';
import { dateIn } from '../../config/scheduled-date.js';
import { fromUsd, type NanoUsd } from './money.js';

/** A budget by its name: all that name it share what is spent, each stops at its own amount. */
export interface Cap {
  readonly budget: string;
  readonly amount: NanoUsd;
}

/** The budget of one run: all its attempts, and all its stages that ask. */
export const budgetOfRun = (runId: string): string => `run/${runId}`;

const periods = 'period/';

/** The budget of the period in which `atMs` lies. A ledger spends from the period in which it was opened. */
export const budgetOfPeriod = ({ name, every, timeZone }: BudgetPeriod, atMs: number): string =>
  `${periods}${name}/${dateIn(timeZone, new Date(atMs)).slice(0, every === 'month' ? 'YYYY-MM'.length : undefined)}`;

/** Of a run that opens its ledger then. */
export const capsOf = (
  { spendAtMostUsd, period }: Budget,
  { runId, atMs }: { readonly runId: string; readonly atMs: number },
): Cap[] => [
  { budget: budgetOfRun(runId), amount: fromUsd(spendAtMostUsd) },
  ...(period ? [{ budget: budgetOfPeriod(period, atMs), amount: fromUsd(period.spendAtMostUsd) }] : []),
];

/** Where a plan says the amount. */
export const settingOf = ({ budget }: Cap): string =>
  budget.startsWith(periods) ? 'budget.period.spendAtMostUsd' : 'budget.spendAtMostUsd';
