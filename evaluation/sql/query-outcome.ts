/** What running one query comes to: rows, or why there are none. */

/** An integer or a float, a text, a blob, or NULL. */
export type Cell = number | string | Uint8Array | null;

export interface QueryRows {
  readonly kind: 'rows';
  readonly columns: number;
  readonly rows: readonly (readonly Cell[])[];
}

/** Why a query has no result. */
export type Refusal =
  | 'not-a-query'
  | 'several-statements'
  | 'too-long'
  | 'sql-error'
  | 'time-limit'
  | 'memory-limit'
  | 'row-limit'
  | 'size-limit';

export interface QueryRefused {
  readonly kind: 'refused';
  readonly reason: Refusal;
  readonly message: string;
}

export type QueryOutcome = QueryRows | QueryRefused;

export const refused = (reason: Refusal, message: string): QueryRefused => ({ kind: 'refused', reason, message });
