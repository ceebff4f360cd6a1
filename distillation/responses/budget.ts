/**
 * A budget: money that sessions share, one object that moves by compare-and-swap. A session reserves a block, spends from it in
 * memory, and settles in the end. Until then its whole block counts as spent. So the sum over all sessions never passes the cap
 * that the last of them was given, whatever is killed: the grant is the only place where money is given out.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import type { ObjectStore } from '../../storage/index.js';
import { moveRecord, movingFields, newOperationId, readRecord, type RecordKind } from '../../storage/records/index.js';
import type { Holder } from './ledger.js';
import { nanoUsd, sumOf, toUsd, type NanoUsd } from './money.js';
import { budgetKey } from './paths.js';
import { settingOf, type Cap } from './periods.js';
import { nanoUsdSchema } from './response.js';
import { closeSession, holderSchema, readSession, type SessionName } from './session.js';
import { spentAtMost } from './calls.js';

const shareSchema = z.looseObject({
  reserved: nanoUsdSchema,
  /** Null until it has ended: then this is what it has spent at most, and nothing is reserved. */
  settled: nanoUsdSchema.nullable(),
  teacher: z.string(),
  runId: z.string(),
  holder: holderSchema,
});
type Share = z.output<typeof shareSchema>;

const budgetSchema = z.looseObject({
  ...movingFields,
  budget: z.string(),
  /** By the key of the session's journal. */
  shares: z.record(z.string(), shareSchema),
});
type Budget = z.output<typeof budgetSchema>;
const budgetKind: RecordKind<Budget> = { kind: 'budget', version: 1, schema: budgetSchema };

/** A block is this part of what is left, and at least this part of the cap: few moves, and little held by one of many. */
const blocksOfTheRest = 16;
const blocksOfTheCap = 256;

/** The block that is granted: at least what is needed, at most what is left; 0 when that is too little. */
export function blockOf(amount: NanoUsd, taken: NanoUsd, needed: NanoUsd): NanoUsd {
  const left = Math.max(0, amount - taken);
  if (needed > left) return nanoUsd(0);
  const wanted = Math.max(needed, Math.floor(left / blocksOfTheRest), Math.floor(amount / blocksOfTheCap));
  return nanoUsd(Math.min(left, wanted));
}

const takenBy = ({ reserved, settled }: Share): NanoUsd => settled ?? reserved;
const takenFrom = (shares: Budget['shares']): NanoUsd => sumOf(Object.values(shares).map(takenBy));

/**
 * @returns everything that the session has reserved in this budget, durably; less than it needs when the budget is exhausted
 * @throws fence-lost when the session was settled by a successor
 */
export async function reserve(store: ObjectStore, cap: Cap, session: SessionName, needed: NanoUsd): Promise<NanoUsd> {
  const { key, teacher, runId, holder } = session;
  const moved = await moveRecord<Budget>(store, {
    kind: budgetKind,
    key: budgetKey(cap.budget),
    operationId: newOperationId(),
    decide: (current, moving) => {
      const shares = current?.shares ?? {};
      const own = shares[key] ?? { reserved: nanoUsd(0), settled: null, teacher, runId, holder: { ...holder } };
      if (own.settled !== null) throw settledBySuccessor(cap, key);
      const reserved = sumOf([own.reserved, blockOf(cap.amount, takenFrom(shares), needed)]);
      return { ...current, ...moving, budget: cap.budget, shares: { ...shares, [key]: { ...own, reserved } } };
    },
  });
  const own = moved.value.shares[key];
  if (!own || own.settled !== null) throw settledBySuccessor(cap, key);
  return own.reserved;
}

/** What is left of its blocks is free again. The first settlement of a session counts. */
export async function settle(store: ObjectStore, budget: string, session: string, spent: NanoUsd): Promise<void> {
  const isOpen = ({ shares }: Budget): boolean => shares[session]?.settled === null;
  const before = await readBudget(store, budget);
  if (!before || !isOpen(before)) return;
  await moveRecord<Budget>(store, {
    kind: budgetKind,
    key: budgetKey(budget),
    operationId: newOperationId(),
    decide: (current, moving) => {
      const now = current ?? before;
      const share = now.shares[session];
      if (!share || share.settled !== null) return { ...now, ...moving };
      return { ...now, ...moving, shares: { ...now.shares, [session]: { ...share, settled: spent } } };
    },
  });
}

/**
 * Settles the shares of sessions that are over: their journals are closed first, so that nothing more can be spent in their
 * names, and what they have spent is read there.
 */
export async function settleEnded(
  store: ObjectStore,
  budget: string,
  isOver: (holder: Holder) => Promise<boolean>,
): Promise<void> {
  const shares = Object.entries((await readBudget(store, budget))?.shares ?? {});
  for (const [key, { settled, teacher, runId, holder }] of shares) {
    if (settled !== null) continue;
    const isClosed = (await readSession(store, key))?.closed === true;
    if (!isClosed && !(await isOver(holder))) continue;
    await settle(store, budget, key, spentAtMost(await closeSession(store, { key, teacher, runId, holder })));
  }
}

/** What is spent of it or reserved, by whomever. */
export const takenOf = async (store: ObjectStore, budget: string): Promise<NanoUsd> =>
  takenFrom((await readBudget(store, budget))?.shares ?? {});

/** @throws budget-exhausted: always */
export async function refuseSpending(store: ObjectStore, cap: Cap, needed: NanoUsd): Promise<never> {
  const { budget, amount } = cap;
  const shares = Object.values((await readBudget(store, budget))?.shares ?? {});
  const spent = sumOf(shares.map(({ settled }) => settled ?? nanoUsd(0)));
  const reserved = sumOf(shares.filter(({ settled }) => settled === null).map((share) => share.reserved));
  throw new NightstillError(
    'budget-exhausted',
    `${settingOf(cap)}: expected room for a call of at most ${usd(needed)} under the cap of ${usd(amount)} of ${budget}, found ${usd(spent)} spent and ${usd(reserved)} reserved`,
    {
      details: {
        budget,
        neededUsd: toUsd(needed),
        capUsd: toUsd(amount),
        spentUsd: toUsd(spent),
        reservedUsd: toUsd(reserved),
      },
    },
  );
}

async function readBudget(store: ObjectStore, budget: string): Promise<Budget | undefined> {
  return (await readRecord(store, budgetKind, budgetKey(budget)))?.value;
}

const usd = (amount: NanoUsd): string => `$${toUsd(amount)}`;

const settledBySuccessor = ({ budget }: Cap, key: string): NightstillError =>
  new NightstillError(
    'fence-lost',
    `budget ${budget}: expected the session ${key} open, found it settled by a successor`,
    {
      details: { key },
    },
  );
