/**
 * Stage results. The truth is the seal: a final manifest that a head points to. The result record is a copy of it under the
 * stage key, made by whoever comes by, so that a crash between the two loses nothing.
 */
import { z } from 'zod';
import { NightstillError, hasCode } from '../config/errors.js';
import { hasArtifact } from './artifacts.js';
import { canonicalJson, type Json } from './canonical-json.js';
import { createOnce } from './conditional.js';
import { headKind } from './head.js';
import { headKey, resultKey, type StageKey } from './layout.js';
import { readManifest, stageOutcomeSchema, workFields, type StageOutcome } from './manifest.js';
import type { ObjectStore } from './object-store.js';
import { damagedKey, quarantine } from './quarantine.js';
import { encodeRecord, readRecord, type ReadRecord, type RecordKind } from './record.js';

const resultSchema = z.looseObject({
  stageKey: z.string(),
  fence: z.number().int().positive(),
  outcome: stageOutcomeSchema,
  ...workFields,
});
export type StageResult = z.output<typeof resultSchema>;

export const resultKind: RecordKind<StageResult> = { kind: 'result', version: 1, schema: resultSchema };

export interface StageLookup {
  readonly result?: StageResult | undefined;
  /** Finished once, whether or not what it made is still there. */
  readonly wasFinished: boolean;
}

export interface LookupOptions {
  /** Nothing is put aside or copied: for who only wants to know. Default false. */
  readonly readOnly?: boolean;
}

/** The result of a finished stage, or undefined when it has to run: see `lookupStage`. */
export async function lookupResult(store: ObjectStore, stageKey: StageKey): Promise<StageResult | undefined> {
  return (await lookupStage(store, stageKey)).result;
}

/**
 * The result of a finished stage, from its record or else from its seal. Every artifact is described: one that is missing
 * makes it a miss, so that the stage runs again and writes it anew.
 */
export async function lookupStage(
  store: ObjectStore,
  stageKey: StageKey,
  { readOnly = false }: LookupOptions = {},
): Promise<StageLookup> {
  const recorded = (await recordedResult(store, stageKey, readOnly))?.value;
  if (recorded && (await isComplete(store, recorded))) return { result: recorded, wasFinished: true };
  const { result: sealed, wasSealed } = await sealedResult(store, stageKey);
  if (!sealed || !(await isComplete(store, sealed))) return { wasFinished: wasSealed || recorded !== undefined };
  return { result: readOnly ? sealed : await publishResult(store, sealed), wasFinished: true };
}

/**
 * Records a result. Who comes second returns what is recorded and discards its own.
 * @throws nondeterministic-stage when two executions that both claim to be reproducible came to different facts
 */
export async function publishResult(store: ObjectStore, result: StageResult): Promise<StageResult> {
  const key = resultKey(result.stageKey);
  try {
    await createOnce(store, key, encodeRecord(resultKind, result));
    return result;
  } catch (error) {
    if (!hasCode(error, 'object-exists')) throw error;
  }
  const read = await recordedResult(store, result.stageKey);
  if (!read) return publishResult(store, result);
  const recorded = read.value;
  // Also of a stage that is reproducible on some machines, one of the two may come from another.
  const mustAgree = recorded.outcome.reproducible && result.outcome.reproducible;
  if (!mustAgree && !(await isComplete(store, recorded))) return replaceResult(store, read.objectVersion, result);
  if (mustAgree && factsOf(recorded.outcome) !== factsOf(result.outcome))
    throw new NightstillError(
      'nondeterministic-stage',
      `${key}: expected the recorded facts ${factsOf(recorded.outcome)}, found ${factsOf(result.outcome)}`,
    );
  return recorded;
}

/** In the place of a record that names what is gone, unless somebody else was faster. */
async function replaceResult(store: ObjectStore, version: string, result: StageResult): Promise<StageResult> {
  try {
    await store.putIfMatch(resultKey(result.stageKey), encodeRecord(resultKind, result), version);
    return result;
  } catch (error) {
    if (!hasCode(error, 'object-changed')) throw error;
    return publishResult(store, result);
  }
}

/** What two executions of one stage must agree on. */
export const factsOf = ({ preimage, outputs, facts }: StageOutcome): string => {
  const digests = Object.fromEntries(Object.entries(outputs).map(([name, { digest }]) => [name, digest]));
  return canonicalJson({ preimage, facts, outputs: digests } satisfies Record<string, Json>);
};

/** A damaged record is only a damaged copy: it is put aside and copied from the seal again. */
async function recordedResult(
  store: ObjectStore,
  stageKey: StageKey,
  readOnly = false,
): Promise<ReadRecord<StageResult> | undefined> {
  try {
    return await readRecord(store, resultKind, resultKey(stageKey));
  } catch (error) {
    const key = damagedKey(error);
    if (!readOnly) await quarantine(store, key);
    return undefined;
  }
}

async function sealedResult(store: ObjectStore, stageKey: StageKey) {
  const head = await readRecord(store, headKind, headKey(stageKey)).catch(ignoreDamage);
  if (!head?.value.sealed || !head.value.manifest) return { wasSealed: false };
  const manifest = await readManifest(store, head.value.manifest).catch(ignoreDamage);
  if (!manifest?.outcome) return { wasSealed: true };
  const { fence, outcome, recordedBy, workedMs } = manifest;
  const result: StageResult = { stageKey, fence, outcome, recordedBy, workedMs };
  return { result, wasSealed: true };
}

/** The newest checkpoint or seal that a stage's head points to; undefined also where the head is damaged, which a claim mends. */
export async function newestCheckpoint(
  store: ObjectStore,
  stageKey: StageKey,
): Promise<{ readonly step: number; readonly fence: number } | undefined> {
  const head = await readRecord(store, headKind, headKey(stageKey)).catch(ignoreDamage);
  return head?.value.manifest ?? undefined;
}

/** A stage whose seal cannot be read is one that is not finished: it runs again. */
function ignoreDamage(error: unknown): undefined {
  damagedKey(error);
}

/** Is every artifact there that the outcome names? */
export async function isComplete(store: ObjectStore, { outcome }: Pick<StageResult, 'outcome'>): Promise<boolean> {
  const there = await Promise.all(Object.values(outcome.outputs).map((artifact) => hasArtifact(store, artifact)));
  return there.every(Boolean);
}
