/** The activity of the stage `import`: a dataset becomes an artifact, in a child process. */
import type { StageInput, StageOutput } from '../config/plan.js';
import { runStageInChild } from './stage-in-child.js';
import { translating } from './translate.js';

export interface ImportDependencies {
  /** Absolute path of the compiled import child. */
  readonly importChild: string;
}

const silenceLimitsMs = { start: 60_000, claim: 120_000, read: 120_000, seal: 300_000 };

export const createImportActivity = ({ importChild }: ImportDependencies) =>
  translating((input: StageInput): Promise<StageOutput> =>
    runStageInChild({ entry: importChild, silenceLimitsMs }, input),
  );
