/** The activity of any stage: an attempt looks for a result that is there already, then does the work where the stage says. */
import type { StageInput, StageOutput } from '../config/plan.js';
import { runStageHere } from './stage-here.js';
import { runStageInChild } from './stage-in-child.js';
import type { ChildPrograms, Stage } from './stage.js';
import { translating } from './translate.js';

export interface StageDependencies {
  /** Needed by stages whose work is a program: `programs` of `nightstill/workers`. */
  readonly programs?: ChildPrograms | undefined;
}

export const createStageActivity = (stage: Stage, { programs }: StageDependencies) =>
  translating((input: StageInput): Promise<StageOutput> => {
    const { kind, work } = stage;
    if ('run' in work) return runStageHere(kind, work.run, input);
    const program = programs?.[work.program];
    if (program === undefined)
      throw new TypeError(
        `stage ${kind.kind} is done by a program: give the plugin \`programs\` of nightstill/workers`,
      );
    return runStageInChild({ ...program, silenceLimitsMs: work.silenceLimitsMs }, input);
  });
