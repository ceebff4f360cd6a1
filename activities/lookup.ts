/**
 * Looks for the recorded result of a stage, and says why it is reused or has to run. The record of the run names the stage first, so
 * that collection spares what is found. A stage that has to run leaves its preimage: later runs, and readers, tell by it what changed.
 */
import { differenceInALine, explainDifference } from '../config/explain-difference.js';
import type { NodeInput, StageIdentity, StageLookedUp } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { lookupStage, putPreimage, readPreimage, type ObjectStore, type StageLookup } from '../storage/index.js';
import { StageNames } from './stage-names.js';

export async function lookUpStage(
  store: ObjectStore,
  kind: StageKind,
  { runId, node }: Pick<NodeInput, 'runId' | 'node'>,
  stage: StageIdentity,
  names = new StageNames(),
): Promise<StageLookedUp> {
  const { before } = await names.add(store, runId, node, stage.stageKey);
  const found = await lookupStage(store, stage.stageKey);
  const explanation = explainLookup(store, kind, { stage, found, before: before[node], runId });
  const [why] = await Promise.all([explanation, found.result ? undefined : putPreimage(store, stage.preimage)]);
  return { ...stage, why, ...(found.result && { outputs: found.result.outcome.outputs }) };
}

export interface LookupFacts {
  readonly stage: StageIdentity;
  readonly found: StageLookup;
  /** The stage key that the node had last. */
  readonly before: string | undefined;
  readonly runId?: string | undefined;
}

/** In a line; reads one object at most, and nothing for a result that is there. */
export async function explainLookup(
  store: ObjectStore,
  { defaults, reusable }: Pick<StageKind, 'defaults' | 'reusable'>,
  { stage: { stageKey, preimage }, found: { result, wasFinished }, before, runId }: LookupFacts,
): Promise<string> {
  if (result) return recordedBy(result.recordedBy, runId);
  if (!reusable) return 'acts in every run';
  if (wasFinished) return 'its result was collected, or is damaged';
  if (before === undefined) return 'never run before';
  if (before === stageKey) return 'not finished before';
  const earlier = await readPreimage(store, before);
  if (earlier === undefined) return 'changed; what it was before is no longer recorded';
  return differenceInALine(explainDifference(earlier, preimage, defaults));
}

function recordedBy(writer: string | undefined, runId: string | undefined): string {
  if (writer === undefined) return 'recorded before';
  return writer === runId ? 'recorded by this run' : `recorded by run ${writer}`;
}
