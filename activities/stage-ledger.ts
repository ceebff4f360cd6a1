/** How a stage that asks an endpoint keeps account: the ledger under the budget of its run, what is told of its calls, and whom it asks. */
import type { AnswerOptions } from '../config/answer-options.js';
import type { TeacherEndpoint } from '../config/teacher-schema.js';
import {
  budgetOfRun,
  driftIdentityOf,
  fromUsd,
  openLedger,
  toUsd,
  type Ledger,
  type LedgerReport,
} from '../distillation/index.js';
import { readArtifact, type ArtifactRef, type Json, type ObjectStore, type StageWriter } from '../storage/index.js';

interface Account {
  readonly teacher: TeacherEndpoint;
  readonly runId: string;
  /** Of the claimed stage. */
  readonly writer: StageWriter;
  readonly budget: AnswerOptions['budget'];
}

/** @throws store-unavailable, record-invalid */
export const openStageLedger = (store: ObjectStore, { teacher, runId, writer, budget }: Account): Promise<Ledger> =>
  openLedger(store, {
    teacher,
    runId,
    holder: { stage: writer.stageKey, fence: writer.fence },
    ...(budget && { caps: [{ budget: budgetOfRun(runId), amount: fromUsd(budget.spendAtMostUsd) }] }),
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
