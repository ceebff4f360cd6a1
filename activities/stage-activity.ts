/** The activity of any stage: an attempt looks for a result that is there already, then does the work where the stage says. */
import { NightstillError } from '../config/errors.js';
import type { StageInput, StageOutput } from '../config/plan.js';
import type { OpenStores } from './open-stores.js';
import { runStageHere } from './stage-here.js';
import { runStageInChild } from './stage-in-child.js';
import type { ChildPrograms, Stage } from './stage.js';
import { translating } from './translate.js';
import type { WorkerEnd } from './worker-end.js';

export interface StageDependencies {
  /** Those that the activities of the worker share. */
  readonly stores: OpenStores;
  /** Needed by stages whose work is a program: `programs` of `nightstill/workers`. */
  readonly programs?: ChildPrograms | undefined;
  /** Of the worker that these activities are of. */
  readonly workerEnd: WorkerEnd;
}

/** @throws stages-invalid when the stage's work is a program that is not given: a worker says so before it takes any work */
export function createStageActivity(
  { kind, work }: Stage,
  { programs, stores, workerEnd }: StageDependencies,
): (input: StageInput) => Promise<StageOutput> {
  if (!('program' in work)) return translating((input: StageInput) => runStageHere(stores, kind, work.run, input));
  const program = programs?.[work.program];
  if (program === undefined)
    throw new NightstillError(
      'stages-invalid',
      `stage ${kind.kind}: expected the program "${work.program}", found none; give the plugin programs of nightstill/workers`,
    );
  const { silenceLimitsMs, scorers } = work;
  const started = { ...program, silenceLimitsMs, scorerModule: scorers?.module, workerEnd };
  const inChild = (input: StageInput): Promise<StageOutput> => runStageInChild(stores, kind, started, input);
  if (!('run' in work)) return translating(inChild);
  return translating((input: StageInput) =>
    work.inChild(input.with) ? inChild(input) : runStageHere(stores, kind, work.run, input),
  );
}
