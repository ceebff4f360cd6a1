/**
 * With `start: champion` a night trains from the model that serves. Where nothing else has changed since that model was trained, to
 * train it on the same data once more would make a new candidate after every promotion, and no night would ever be unchanged. So a
 * promotion records the stage key of the training that its model came from. When tonight's training has the same data, options, version
 * and numerics, and differs only in the model that it starts from, the recorded result is reused.
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
