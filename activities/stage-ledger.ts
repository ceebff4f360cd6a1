/** How a stage that asks an endpoint keeps account: the ledger under the budgets of its run, what is told of its calls, and whom it asks. */
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

/** Of the run, in dollars. */
export const callsOf = ({ asked, answered, refused, possiblyPaidTwice, unpriced }: LedgerReport): Json => ({
  asked,
  answered: answered.calls,
  refused,
  possiblyPaidTwice: { calls: possiblyPaidTwice.calls, atMostUsd: toUsd(possiblyPaidTwice.money) },
  unpriced,
});

/** What the canaries found the teacher to be; null where it is what it was at first, or nobody looked. */
export const driftIn = async (store: ObjectStore, identity: ArtifactRef | undefined): Promise<string | null> =>
  identity ? driftIdentityOf((await readArtifact(store, identity)).meta) : null;
