/**
 * A manifest is one complete checkpoint, or the seal of a finished stage: which blobs, in which order, and the JSON state.
 * It is immutable, written after its blobs are acknowledged, and counts only once a head points to it.
 */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import { artifactRefSchema } from './artifacts.js';
import { blobRefSchema, type BlobRef } from './blobs.js';
import { manifestKey, sealKey } from './layout.js';
import type { ObjectStore } from './object-store.js';
import { blobsOf, groupSchema } from './packs.js';
import { digestSchema, jsonSchema, readRecord, type RecordKind } from './record.js';

const count = z.number().int().nonnegative();

/** Points to a manifest and knows its digest; (fence, step) is the order of heads. */
export const manifestRefSchema = z.looseObject({ key: z.string(), digest: digestSchema, step: count, fence: count });
export type ManifestRef = z.output<typeof manifestRefSchema>;

/** What a finished stage produced. Facts are deterministic; observations (time, money, host) are not and bind nothing. */
export const stageOutcomeSchema = z.looseObject({
  preimage: jsonSchema,
  outputs: z.record(z.string(), artifactRefSchema),
  facts: jsonSchema,
  observations: jsonSchema,
  reproducible: z.boolean(),
});
export type StageOutcome = z.output<typeof stageOutcomeSchema>;

/** Who worked for how long, up to here: told to readers, compared with nothing. */
export const workFields = {
  /** The workflow id of the owner that wrote it. */
  recordedBy: z.string().optional(),
  /** Time under a claim, over all attempts that went on from each other. */
  workedMs: count.optional(),
};

const manifestSchema = z.looseObject({
  stageKey: z.string(),
  step: count,
  fence: count,
  parent: manifestRefSchema.nullable(),
  state: jsonSchema,
  groups: z.array(groupSchema),
  /** Blobs outside the packs that this checkpoint needs kept. */
  references: z.array(blobRefSchema),
  /** Present in a seal, and only there. */
  outcome: stageOutcomeSchema.nullable(),
  /** Keys of damaged or missing objects for which newer checkpoints were given up, over all attempts. */
  passedOver: z.array(z.string()).optional(),
  ...workFields,
});
export type Manifest = z.output<typeof manifestSchema>;

export const manifestKind: RecordKind<Manifest> = { kind: 'manifest', version: 1, schema: manifestSchema };

export const keyOfManifest = ({ stageKey, step, fence, outcome }: Manifest): string =>
  outcome ? sealKey(stageKey, fence) : manifestKey(stageKey, step, fence);

/** Every blob a manifest needs, artifacts' parts excepted. */
export const blobsOfManifest = ({ groups, references }: Manifest): BlobRef[] => [...blobsOf(groups), ...references];

/** @throws object-missing, object-damaged, record-version-unknown */
export async function readManifest(store: ObjectStore, reference: ManifestRef): Promise<Manifest> {
  const { key } = reference;
  const details = { store: store.url, key };
  const read = await readRecord(store, manifestKind, key);
  if (!read) throw new NightstillError('object-missing', `${key}: expected a manifest, found nothing`, { details });
  if (read.digest === reference.digest) return read.value;
  throw new NightstillError('object-damaged', `${key}: expected ${reference.digest}, found ${read.digest}`, {
    details,
  });
}

/** Is `next` later than `current`? A younger fence wins over any step. */
export const isLater = (next: ManifestRef, current: ManifestRef): boolean =>
  next.fence > current.fence || (next.fence === current.fence && next.step > current.step);
