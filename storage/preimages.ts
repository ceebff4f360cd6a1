/**
 * Preimages: of what a stage key is the digest, as a blob under that very digest. Of stages that have no result yet, or none any
 * more, it is the only thing that tells what they were to compute.
 */
import { hasCode } from '../config/errors.js';
import { putHashedBlob } from './blobs.js';
import { canonicalJson, isJsonObject, parseJson, type Json, type JsonObject } from './canonical-json.js';
import { digestOf, hexOf } from './digest.js';
import { preimageKey, resultKey, type StageKey } from './layout.js';
import type { ObjectStore } from './object-store.js';
import { readRecord, readSmall } from './record.js';
import { resultKind } from './results.js';

export const stageKeyOf = (preimage: JsonObject): StageKey => hexOf(digestOf(canonicalJson(preimage)));

export function putPreimage(store: ObjectStore, preimage: JsonObject): Promise<void> {
  const bytes = Buffer.from(canonicalJson(preimage));
  return putHashedBlob(store, digestOf(bytes), bytes);
}

/** Undefined where it was collected, together with the result, or is damaged: it explains, and nothing depends on it. */
export async function readPreimage(store: ObjectStore, stageKey: StageKey): Promise<JsonObject | undefined> {
  try {
    const { bytes } = await readSmall(store, preimageKey(stageKey));
    if (hexOf(digestOf(bytes)) === stageKey) return asPreimage(parseJson(bytes.toString()));
  } catch (error) {
    if (!hasCode(error, 'object-missing', 'record-invalid')) throw error;
  }
  try {
    const recorded = await readRecord(store, resultKind, resultKey(stageKey));
    return asPreimage(recorded?.value.outcome.preimage);
  } catch (error) {
    if (hasCode(error, 'record-invalid', 'record-version-unknown')) return undefined;
    throw error;
  }
}

const asPreimage = (value: Json | undefined): JsonObject | undefined =>
  value !== undefined && isJsonObject(value) ? value : undefined;
