/**
 * The closing report of a run: how good its models are and what they cost, whether the distillation was worth it, what was
 * decided, and where everything lies. Read from the store alone, so a run that Temporal has forgotten is reported as well; with a
 * Temporal client, the store need not be named.
 */
import type { Client } from '@temporalio/client';
import { NightstillError } from '../config/errors.js';
import type { ApprovalDecision } from '../config/approval.js';
import type { TeacherDrift } from '../config/teacher-drift.js';
import type { ComparisonRecord } from '../config/verdict.js';
import type { RunOutcome } from '../config/plan.js';
import type { Refusal } from '../config/refusal.js';
import type { CapturedDistributions, ReportedSystem, Reproduction, ScoreTable } from '../evaluation/report/index.js';
import type { ArtifactRef } from '../config/artifact.js';
import type { PaidStage } from './run-prices.js';
import { seenRun } from './seen-run.js';

export type ReportRequest = {
  readonly runId: string;
  /** Price of an hour of a machine such as those that the run used: without it, computing costs are `not given`. */
  readonly usdPerHour?: number;
} & (
  | { readonly store: string; readonly client?: Client }
  /** The store is that of the plan. */
  | { readonly store?: undefined; readonly client: Client }
);

/** Plain data: it goes through JSON as it is. */
export interface RunReport {
  readonly runId: string;
  readonly plan: string;
  readonly store: string;
  /** `open` until the run has ended. */
  readonly status: RunOutcome['status'] | 'open';
  /** One for each evaluation set and scorer. Empty where nothing was evaluated. */
  readonly tables: readonly ScoreTable[];
  /** How many answers of its training each student recites, where that was asked; see `reproduction` of a plan. */
  readonly reproductions: readonly Reproduction[];
  /** What each capture of the run has kept of its teacher. */
  readonly captures: readonly ({ readonly node: string } & CapturedDistributions)[];
  /** What was not measured, and would tell whether distilling was the right thing to do. */
  readonly notCompared: readonly ('stock-small-model' | 'quantized-teacher' | 'teacher')[];
  /** Of the gates of the run. */
  readonly verdicts: readonly GateVerdict[];
  /** What the canaries of the run have told of its teacher. */
  readonly canaries: readonly ({ readonly node: string } & TeacherDrift)[];
  /** Of the promotions of the run, made or not. */
  readonly promotions: readonly PromotionMade[];
  /** Names under which models of this run serve now. */
  readonly serving: readonly ServingName[];
  /** What making the student has cost; `not given` where a price is missing, the run goes on, or a stage that was begun has no result. */
  readonly distillationUsd: number | 'not given';
  /** What of that went to endpoints, a stage each: by this run, or by an earlier one whose stages or replies it reuses. */
  readonly paid: readonly PaidStage[];
  /** A thousand requests to the teacher behind its endpoint, by the prices of the plan. */
  readonly teacherUsdPer1000: number | 'not given';
  readonly artifacts: readonly ReportedArtifact[];
  /** Nodes of the run that have no result, or none any more. */
  readonly withoutResult: readonly string[];
}

export interface GateVerdict {
  readonly node: string;
  readonly verdict: string;
  /** A sentence for each requirement. */
  readonly reasons: readonly string[];
  /** The same as numbers, a requirement each; absent where the record is of a stage that gives none. */
  readonly comparisons?: readonly ComparisonRecord[];
}

export interface PromotionMade {
  readonly node: string;
  readonly name: string;
  readonly alias: string;
  readonly promoted: boolean;
  /** Why it was moved, or was not. */
  readonly why: string;
  /** Of the person who was asked. */
  readonly decision?: ApprovalDecision;
  /** The same candidate was refused by an earlier run, and nothing has changed since. */
  readonly refusedBefore?: Refusal & { readonly run: string };
}

export interface ServingName {
  readonly name: string;
  readonly alias: string;
  readonly digest: string;
  readonly system: ReportedSystem;
  readonly reason: string;
}

export interface ReportedArtifact extends Pick<
  ArtifactRef,
  'kind' | 'digest' | 'uri' | 'bytes' | 'rows' | 'resumedInexactlyAt'
> {
  readonly node: string;
  readonly output: string;
}

/** @throws run-missing when the store has no record of the run; run-unreadable, temporal-unavailable; what a store throws */
export async function report({ runId, client, store: named, usdPerHour }: ReportRequest): Promise<RunReport> {
  const url = named ?? (client && (await seenRun(client, runId, true))?.store);
  if (url === undefined) throw missing(runId, 'a plan that names a store');
  const { openObjectStore, readRun } = await import('../storage/index.js');
  const { readReport } = await import('./run-results.js');
  const store = await openObjectStore(url);
  try {
    const run = await readRun(store, runId);
    if (run === undefined) throw missing(runId, 'its record in the store');
    return await readReport(store, run, usdPerHour);
  } finally {
    await store.close();
  }
}

const missing = (runId: string, expected: string): NightstillError =>
  new NightstillError('run-missing', `run ${runId}: expected ${expected}, found none`, { details: { runId } });
