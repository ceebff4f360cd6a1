/**
 * What judges one answer. A scorer is a plain object: whoever wants another one writes it in a file of their own, which workers are
 * started with.
 *
 * It promises that the same question gives the same score for as long as its version is the same, wherever and whenever it is
 * asked: results are keyed by id and version and compared between nights. A bad answer is a low score with the reason in
 * `detail`, never an error; an error means that the item or the scorer itself is broken, and ends the evaluation.
 */
export interface Scorer {
  /** As a plan names it, such as `exact-match`. */
  readonly id: string;
  /** Raised when any score could change. */
  readonly version: number;
  /** `right-wrong` scores are 0 or 1 and compared by tests for proportions; `mean` scores are 0 to 1, more is better. */
  readonly kind: ScoreKind;
  readonly score: (question: ScorerQuestion) => Score | Promise<Score>;
  /** Of a user's own scorer: how long it may take for one answer. Default: 60,000. */
  readonly timeLimitMs?: number;
  /** Ends what the scorer has started, such as worker threads. */
  readonly close?: () => Promise<void>;
}

export type ScoreKind = 'right-wrong' | 'mean';

export interface ScorerQuestion {
  readonly prompt: string;
  /** What the model wrote. Not trusted. */
  readonly answer: string;
  /** What it should have written; absent where the item has no reference and the scorer needs none. */
  readonly reference?: string;
  readonly item: EvaluationItem;
}

/** One row of an evaluation set. */
export interface EvaluationItem {
  readonly id: string;
  /** The row's other fields, for scorers that need more than a reference, such as the database of a query. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Score {
  readonly score: number;
  /** Why, in one line that a person reads beside the item. The same for the same question: no times, no paths. */
  readonly detail: string;
}
