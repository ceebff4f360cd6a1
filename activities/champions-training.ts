/**
 * A night that begins with what serves must not teach it again what it was taught: then every promotion would make a new candidate,
 * and no night would ever be unchanged. So a promotion records which training its model came from; where the training of this night
 * would be that one (same data, options, version, numerics) but for the model that it begins with, the recorded result is the one.
 */
import type { FromChampion, StageIdentity } from '../config/plan.js';
import { isJsonObject, lookupResult, stageKeyOf, type JsonObject, type ObjectStore } from '../storage/index.js';

/** @returns the identity of that training; undefined where this is another, or its result is gone */
export async function championsTraining(
  store: ObjectStore,
  { input, trainedBy }: FromChampion,
  { preimage }: StageIdentity,
): Promise<StageIdentity | undefined> {
  const result = trainedBy === undefined ? undefined : await lookupResult(store, trainedBy);
  if (result === undefined || trainedBy === undefined) return undefined;
  const began = inputsOf(result.outcome.preimage)[input];
  if (began === undefined) return undefined;
  const asThen: JsonObject = { ...preimage, inputs: { ...inputsOf(preimage), [input]: began } };
  return stageKeyOf(asThen) === trainedBy ? { stageKey: trainedBy, preimage: asThen } : undefined;
}

function inputsOf(preimage: unknown): JsonObject {
  const inputs =
    typeof preimage === 'object' && preimage !== null && 'inputs' in preimage ? preimage.inputs : undefined;
  return isJsonObject((inputs ?? null) as JsonObject | null) ? (inputs as JsonObject) : {};
}
