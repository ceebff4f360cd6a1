/**
 * The work of a stage under its claim, in whichever process it is done: claimed, worked at, checked, sealed. What it makes is recorded
 * once, whoever else tries: a stage that was finished meanwhile gives its recorded outputs.
 */
import { hasCode, NightstillError } from '../config/errors.js';
import type { StageInput, StageOutput } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import {
  claimStage,
  lookupResult,
  type ClaimRequest,
  type ObjectStore,
  type StageOutcome,
  type StageWriter,
} from '../storage/index.js';

/** What a stage declares: the names of its outputs, each with the kind of its artifact. */
export type DeclaredOutputs = StageKind['outputs'];

/** What the work of a stage comes to. */
export type WorkOutcome = Pick<StageOutcome, 'outputs' | 'facts' | 'observations' | 'reproducible'>;

export interface StageToDo extends ClaimRequest, Pick<StageInput, 'uses' | 'preimage'> {
  readonly declared: DeclaredOutputs;
}

/** @throws stage-busy, fence-lost, stages-invalid; what `work` throws */
export async function workUnderClaim(
  store: ObjectStore,
  { uses, declared, preimage, ...claim }: StageToDo,
  work: (writer: StageWriter) => Promise<WorkOutcome>,
): Promise<StageOutput> {
  try {
    const writer = await claimStage(store, claim);
    const outcome = await work(writer);
    checkOutputs(uses, declared, outcome.outputs);
    const sealed = await writer.seal({ ...outcome, preimage });
    return { outputs: sealed.outcome.outputs };
  } catch (error) {
    const finished = hasCode(error, 'stage-sealed') ? await recordedOutput(store, claim) : undefined;
    if (finished) return finished;
    throw error;
  }
}

export async function recordedOutput(
  store: ObjectStore,
  { stageKey }: Pick<StageInput, 'stageKey'>,
): Promise<StageOutput | undefined> {
  const result = await lookupResult(store, stageKey);
  return result && { outputs: result.outcome.outputs };
}

/** A sealed result is found again for ever: a mistake in a stage of somebody's own must not be sealed. */
function checkOutputs(uses: string, declared: DeclaredOutputs, made: StageOutput['outputs']): void {
  for (const name of new Set([...Object.keys(declared), ...Object.keys(made)])) {
    const [expected, found] = [declared[name], made[name]?.kind];
    if (expected === undefined || expected !== found)
      throw new NightstillError(
        'stages-invalid',
        `stage ${uses}, output "${name}": expected ${expected ?? 'no such output'}, found ${found ?? 'none'}`,
      );
  }
}
