/**
 * What one process has asked, as a value: calls that may be under way, calls of which nobody knows what came of them, and sums
 * of the rest. Every change moves a call from one to another, so that no call is ever missing and none counts twice.
 */
import { z } from 'zod';
import type { LedgerReport, Tally } from './ledger.js';
import { nanoUsd, sumOf, type NanoUsd } from './money.js';
import { keySchema, nanoUsdSchema, type RecordedResponse } from './response.js';

const countSchema = z.number().int().nonnegative();
const callSchema = z.looseObject({ key: keySchema, atMost: nanoUsdSchema.nullable() });
type StoredCall = z.output<typeof callSchema>;

export const callsFields = {
  answered: z.looseObject({
    calls: countSchema,
    money: nanoUsdSchema,
    promptTokens: countSchema,
    completionTokens: countSchema,
    unpriced: countSchema,
  }),
  /** Cost nothing, by reason. */
  refused: z.record(z.string(), countSchema),
  /** By call id: an intent was written, and no end of it. */
  open: z.record(z.string(), callSchema),
  /** By call id: they have ended, and may have been paid for nothing. */
  lost: z.record(z.string(), callSchema.extend({ reason: z.string() })),
};
const callsSchema = z.object(callsFields);
export type Calls = z.output<typeof callsSchema>;

export const noCalls: Calls = {
  answered: { calls: 0, money: nanoUsd(0), promptTokens: 0, completionTokens: 0, unpriced: 0 },
  refused: {},
  open: {},
  lost: {},
};

export const opened = (calls: Calls, id: string, call: StoredCall): Calls => ({
  ...calls,
  open: { ...calls.open, [id]: call },
});

/** As if it had never been: the intent was not written, and the call not made. */
export const withdrawn = (calls: Calls, id: string): Calls => ({ ...calls, open: without(calls.open, id) });

/** Its response is what is recorded; also one that came after the call had been given up. */
export function answered(calls: Calls, { callId, price, content: { usage } }: RecordedResponse): Calls {
  if (!calls.open[callId] && !calls.lost[callId]) return calls;
  const { answered: before } = calls;
  return {
    ...calls,
    open: without(calls.open, callId),
    lost: without(calls.lost, callId),
    answered: {
      calls: before.calls + 1,
      money: price ? sumOf([before.money, price.nanoUsd]) : before.money,
      promptTokens: before.promptTokens + (usage?.promptTokens ?? 0),
      completionTokens: before.completionTokens + (usage?.completionTokens ?? 0),
      unpriced: before.unpriced + (price ? 0 : 1),
    },
  };
}

/** @param atMost when more is known than when it was announced */
export function lost(calls: Calls, id: string, reason: string, atMost?: NanoUsd): Calls {
  const call = calls.open[id];
  if (!call) return calls;
  const ended = { ...call, atMost: atMost ?? call.atMost, reason };
  return { ...calls, open: without(calls.open, id), lost: { ...calls.lost, [id]: ended } };
}

export function refused(calls: Calls, id: string, reason: string): Calls {
  if (!calls.open[id]) return calls;
  const count = (calls.refused[reason] ?? 0) + 1;
  return { ...calls, open: without(calls.open, id), refused: { ...calls.refused, [reason]: count } };
}

/** The most that these calls have cost together. */
export const spentAtMost = ({ answered: { money }, open, lost: ended }: Calls): NanoUsd =>
  sumOf([money, tallyOf(open).money, tallyOf(ended).money]);

const tallyOf = (calls: Readonly<Record<string, StoredCall>>): Tally => ({
  calls: Object.keys(calls).length,
  money: sumOf(Object.values(calls).map(({ atMost }) => atMost ?? nanoUsd(0))),
});

const unpricedAmong = (calls: Readonly<Record<string, StoredCall>>): number =>
  Object.values(calls).filter(({ atMost }) => atMost === null).length;

/** The report over several processes. */
export function reportOf(sessions: readonly Calls[]): LedgerReport {
  const total = (count: (calls: Calls) => number): number => sessions.reduce((sum, calls) => sum + count(calls), 0);
  const money = (amount: (calls: Calls) => NanoUsd): NanoUsd => sumOf(sessions.map(amount));
  const refusals: Record<string, number> = {};
  for (const calls of sessions)
    for (const [reason, count] of Object.entries(calls.refused)) refusals[reason] = (refusals[reason] ?? 0) + count;
  const tally = (part: (calls: Calls) => Calls['open']): Tally => ({
    calls: total((calls) => tallyOf(part(calls)).calls),
    money: money((calls) => tallyOf(part(calls)).money),
  });
  const done = {
    calls: total((calls) => calls.answered.calls),
    money: money((calls) => calls.answered.money),
    promptTokens: total((calls) => calls.answered.promptTokens),
    completionTokens: total((calls) => calls.answered.completionTokens),
  };
  const possiblyPaidTwice = tally((calls) => calls.lost);
  const inFlight = tally((calls) => calls.open);
  const refusedCalls = Object.values(refusals).reduce((sum, count) => sum + count, 0);
  return {
    asked: done.calls + possiblyPaidTwice.calls + inFlight.calls + refusedCalls,
    answered: done,
    refused: refusals,
    possiblyPaidTwice,
    inFlight,
    unpriced: total((calls) => calls.answered.unpriced + unpricedAmong(calls.open) + unpricedAmong(calls.lost)),
  };
}

const without = <Value>(record: Readonly<Record<string, Value>>, name: string): Record<string, Value> =>
  Object.fromEntries(Object.entries(record).filter(([other]) => other !== name));
