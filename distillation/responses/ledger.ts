/**
 * The response ledger of one teacher, as one process writes it. It promises:
 *  - a response that was recorded is found again, unchanged, and is never paid again by whoever looks first;
 *  - before a call there is a durable intent under a reservation: with caps, the money of all calls stays within every cap, with
 *    any number of processes and whatever kills them (as long as a call costs at most the bound it was announced with);
 *  - calls of which nobody knows what came of them are counted, and their money taken as spent at its upper bound.
 */
import type { Cap } from './periods.js';
import type { NanoUsd } from './money.js';
import type { RequestKey, TeacherIdentity } from './request-key.js';
import type { Price, RecordedResponse, ResponseContent } from './response.js';

export interface LedgerRequest {
  readonly teacher: TeacherIdentity;
  /** Whose calls these are, in the report; every attempt of the run gives the same. */
  readonly runId: string;
  /** The stage that holds the ledger open, and the fence it was claimed under: lower fences of the stage are ended by opening. */
  readonly holder: Holder;
  /** Money that this run may spend. None: no limit. */
  readonly caps?: readonly Cap[];
  /** Is that holder over, so that nothing more is spent in its name? Default: no. Asked where a budget is shared. */
  readonly isOver?: (holder: Holder) => Promise<boolean>;
}

export interface Holder {
  readonly stage: string;
  readonly fence: number;
}

export interface NewCall {
  readonly key: RequestKey;
  /** The most that the call can cost; undefined where no prices are given, which no cap allows. */
  readonly atMost: NanoUsd | undefined;
}

/** A call that may be made. */
export interface Call {
  readonly id: string;
  readonly key: RequestKey;
  readonly atMost: NanoUsd | undefined;
}

export interface NewResponse {
  readonly content: ResponseContent;
  readonly price: Price | undefined;
  /** Times, latency, ids of the provider: kept beside the content, under no digest. */
  readonly observations: RecordedResponse['observations'];
}

/** Why a call brought no answer. */
export interface GivenUp {
  /** A code; never text of the endpoint. */
  readonly reason: string;
  /** False when the endpoint has refused it or was never reached: then it costs nothing. */
  readonly maybePaid: boolean;
}

/** Calls and the money they cost, or may have cost. */
export interface Tally {
  readonly calls: number;
  readonly money: NanoUsd;
}

export interface LedgerReport {
  /** Intents: calls that were made, or may have been. */
  readonly asked: number;
  /** Calls whose response was recorded, and what they cost. */
  readonly answered: Tally & { readonly promptTokens: number; readonly completionTokens: number };
  /** Calls without an answer that cost nothing, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /**
   * Calls that ended without a recorded response, or whose response came second: bought once more, or for nothing. Their
   * money is an upper bound.
   */
  readonly possiblyPaidTwice: Tally;
  /** Of processes that are still at work, or ended and were not followed yet. */
  readonly inFlight: Tally;
  /** Calls for which no price was given: their money is in none of the sums. */
  readonly unpriced: number;
}

/** How far a compaction is: responses that were read, and those of them whose single object is gone. */
export interface Compaction {
  readonly read: number;
  readonly done: number;
}

export interface Ledger {
  /** What is recorded of these, whoever asked for it. */
  find(keys: Iterable<RequestKey>): Promise<Map<RequestKey, RecordedResponse>>;

  /**
   * Durable when it returns: the call may be made, and its money is reserved; or the response that somebody has recorded
   * meanwhile. Waits for calls of this ledger that are under way while they hold the money that is left.
   * @throws budget-exhausted, fence-lost when a later fence of the stage has opened the ledger, plan-invalid for a call without
   * a price under a cap
   */
  intend(call: NewCall): Promise<{ readonly call: Call } | { readonly recorded: RecordedResponse }>;

  /** Durable when it returns. @returns what is recorded for the key: of several the first */
  record(call: Call, response: NewResponse): Promise<RecordedResponse>;

  /** The call brought no answer. */
  giveUp(call: Call, outcome: GivenUp): void;

  /** Moves single responses into shards. At any time, by any number of processes; killed anywhere it loses nothing. */
  compact(onProgress?: (progress: Compaction) => void): Promise<{ readonly moved: number }>;

  /** Of all processes of the run, this one included. */
  report(): Promise<LedgerReport>;

  /** Ends the session: money that was reserved and not spent is free again. Calls that are under way count as given up. */
  close(): Promise<void>;
}
