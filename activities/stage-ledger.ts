/** The account of a stage that asks an endpoint: the ledger, under the budgets of its run, and what is reported of calls and drift. */
import type { Budget } from '../config/budget-schema.js';
import type { TeacherEndpoint } from '../config/teacher-schema.js';
import { capsOf, driftIdentityOf, openLedger, toUsd, type Ledger, type LedgerReport } from '../distillation/index.js';
import {
  isClaimOver,
  readArtifact,
  type ArtifactRef,
  type Json,
  type ObjectStore,
  type StageWriter,
} from '../storage/index.js';

interface Account {
  readonly teacher: TeacherEndpoint;
  readonly runId: string;
  /** Of the claimed stage. */
  readonly writer: StageWriter;
  readonly budget: Budget | undefined;
  /** Which day, and which month, it is that money is spent in. */
  readonly atMs?: number;
}

/** @throws store-unavailable, record-invalid */
export const openStageLedger = (
  store: ObjectStore,
  { teacher, runId, writer, budget, atMs = Date.now() }: Account,
): Promise<Ledger> =>
  openLedger(store, {
    teacher,
    runId,
    holder: { stage: writer.stageKey, fence: writer.fence },
    ...(budget && { caps: capsOf(budget, { runId, atMs }) }),
    // Of a period that runs share, what a run held that was killed for good is free again.
    isOver: ({ stage, fence }) => isClaimOver(store, { stageKey: stage, fence }, writer.isOpen),
  });

/** What the observations of a stage say of the calls of its run; money in dollars. */
export const callsOf = ({ asked, answered, refused, possiblyPaidTwice, unpriced }: LedgerReport): Json => ({
  asked,
  answered: answered.calls,
  refused,
  possiblyPaidTwice: { calls: possiblyPaidTwice.calls, atMostUsd: toUsd(possiblyPaidTwice.money) },
  unpriced,
});

/** The drift that the canaries found; null where they found none, or there are none. */
export const driftIn = async (store: ObjectStore, identity: ArtifactRef | undefined): Promise<string | null> =>
  identity ? driftIdentityOf((await readArtifact(store, identity)).meta) : null;
