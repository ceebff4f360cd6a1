/** A row of a dataset, before anybody has asked what it means. */
export type RowRecord = Readonly<Record<string, unknown>>;

export interface Row {
  /** From 1: the line of a JSONL file (blank lines count), the row of a Parquet file. */
  readonly number: number;
  readonly record: RowRecord;
}
