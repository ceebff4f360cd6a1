/** A stage of a plan before its kind is known, and where in the file a reader finds it and its options. */
import type { StageOfFile } from '../config/plan-schema.js';

export interface PlannedStage extends StageOfFile {
  readonly place: string;
  readonly optionsPlace: string;
  /** The input whose place the champion takes, where one serves. */
  readonly fromChampion?: string;
}

/** Of the standard plan: its options stand in the section of its name. */
export const plannedStage = (
  id: string,
  uses: string,
  needs: string[],
  inputs: Record<string, string>,
  options: StageOfFile['with'],
): PlannedStage => ({
  id,
  uses,
  needs,
  inputs,
  with: options,
  timeouts: {},
  retry: {},
  place: id,
  optionsPlace: id,
});
