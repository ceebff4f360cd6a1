/** What the program that makes the student's first weights asks of its process. */
export interface BaseJob {
  /** Becomes a model directory. */
  readonly directory: string;
  readonly lessons: number;
  readonly steps: number;
  readonly seed: number;
  readonly threads: number;
}
