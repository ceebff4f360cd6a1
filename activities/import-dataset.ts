/** The activity of the stage `import`: a dataset becomes an artifact, in a child process. */
import type { StageInput, StageOutput } from '../config/plan.js';
import { runStageInChild } from './stage-in-child.js';
import { translating } from './translate.js';

export interface ImportDependencies {
  /** Absolute path of the compiled import child. */
  readonly importChild: string;
}

/** Longer than the store takes to give up a server that hangs: the cause is then named, instead of the silence. */
const silenceLimitsMs = { start: 60_000, open: 180_000, claim: 180_000, read: 180_000, seal: 300_000 };

export const createImportActivity = ({ importChild }: ImportDependencies) =>
  translating((input: StageInput): Promise<StageOutput> =>
    runStageInChild({ entry: importChild, silenceLimitsMs }, input),
  );
