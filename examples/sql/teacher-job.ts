/** What the two programs of the teacher's training agree on. */
export interface TeacherJob {
  readonly folder: string;
  readonly steps: number;
  /** Steps between two states that are kept. */
  readonly saveEvery: number;
  readonly evaluateEvery: number;
  readonly seed: number;
  readonly threads: number;
}

/** Tokens of a row of a batch: three questions with their SQL, packed. */
export const rowTokens = 256;
