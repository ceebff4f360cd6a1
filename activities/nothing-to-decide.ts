/**
 * A gate whose candidate already serves under the name has nothing to decide. The lookup finds that with one read, and the stage is not
 * run. The alias is read at that moment, not when the plan is resolved.
 */
import type { NodeInput } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { readAlias, type ObjectStore } from '../storage/index.js';

/** @returns why, in a line; undefined where there is something to decide */
export async function whyNothingToDecide(
  store: ObjectStore,
  { champion }: Pick<StageKind, 'champion'>,
  { with: options, inputs }: Pick<NodeInput, 'with' | 'inputs'>,
): Promise<string | undefined> {
  const use = champion?.(options);
  const candidate = use && inputs[use.candidate];
  if (use === undefined || candidate === undefined) return undefined;
  const served = await readAlias(store, use.name, use.alias);
  if (served?.current.model.digest !== candidate.digest) return undefined;
  return `unchanged: the candidate serves already as ${use.name}/${use.alias}`;
}
