/** The names of budgets: that of a run, and those of calendar periods. */
import type { NanoUsd } from './money.js';

/** A budget by its name: all that name it share what is spent, each stops at its own amount. */
export interface Cap {
  readonly budget: string;
  readonly amount: NanoUsd;
}

/** The budget of one run: all its attempts, and all its stages that ask. */
export const budgetOfRun = (runId: string): string => `run/${runId}`;

/** A calendar month, or a count of days, in a time zone: `{ days: 1 }` begins anew every midnight there. */
export interface Period {
  readonly every: 'month' | { readonly days: number };
  /** IANA: `Asia/Tokyo`. */
  readonly timeZone: string;
}

/** The budget of the period in which `atMs` lies. A ledger spends from the period in which it was opened. */
export function budgetOfPeriod(name: string, { every, timeZone }: Period, atMs: number): string {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const date = parts.format(atMs);
  if (every === 'month') return `period/${name}/${date.slice(0, 7)}`;
  const day = Math.floor(Date.parse(`${date}T00:00:00Z`) / 86_400_000);
  const first = new Date((day - (day % every.days)) * 86_400_000).toISOString().slice(0, 10);
  return `period/${name}/${first}+${every.days}d`;
}
