/** What the program that makes the student's first weights asks of its process. */
export interface BaseJob {
  /** Becomes a model directory. */
  readonly directory: string;
  readonly lessons: number;
  readonly steps: number;
  readonly seed: number;
  readonly threads: number;
}

/** What the program takes where it is told nothing else: `student.json` records what came of it. */
export const baseRecipe = { lessons: 75_000, steps: 2000, seed: 1, threads: 1 } as const;
