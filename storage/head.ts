/**
 * The head of a stage: who holds it, and its newest checkpoint. It is the only thing of a stage that moves, always by
 * compare-and-swap. The fence counts claims; the claim id tells two holders apart even if a head had to be rebuilt.
 */
import { z } from 'zod';
import { hasCode } from '../config/errors.js';
import { movingFields, type MovingFields } from './conditional.js';
import { manifestPrefix } from './layout.js';
import { isLater, keyOfManifest, manifestKind, manifestRefSchema, type ManifestRef } from './manifest.js';
import type { ObjectStore } from './object-store.js';
import { readRecord, type RecordKind } from './record.js';

/** The activity a writer works for. Another attempt of the same activity is the same owner. */
export interface StageOwner {
  /** Of the workflow. Absent in a head that an earlier release wrote: that of whoever reads it. */
  readonly namespace?: string | undefined;
  readonly workflowId: string;
  readonly runId: string;
  readonly activityId: string;
  readonly attempt: number;
}

export interface OpenQuestion {
  /** Where nobody can read whether it is, it counts as open; without this, the question is refused with `namespace-unreadable`. */
  readonly unreadable?: 'open' | undefined;
}

/** Is that activity still open? Storage does not know Temporal; the caller asks it. */
export type IsOpen = (owner: StageOwner, question?: OpenQuestion) => Promise<boolean>;

export const stageOwnerSchema = z.looseObject({
  namespace: z.string().optional(),
  workflowId: z.string(),
  runId: z.string(),
  activityId: z.string(),
  attempt: z.number().int(),
});

const headSchema = z.looseObject({
  ...movingFields,
  stageKey: z.string(),
  fence: z.number().int().positive(),
  /**
   * Of all claims that follow each other: by it they are told from claims on the same stage in another store, also where nothing in
   * the URLs tells the stores apart. Absent in a head that an earlier release wrote.
   */
  lineage: z.string().optional(),
  claim: z.string(),
  owner: stageOwnerSchema,
  manifest: manifestRefSchema.nullable(),
  /** The manifest before, kept from collection: what restore falls back to. */
  previous: manifestRefSchema.nullable(),
  /** The manifest is a seal: the stage is finished. */
  sealed: z.boolean(),
});
export type Head = z.output<typeof headSchema>;

export const headKind: RecordKind<Head> = { kind: 'head', version: 1, schema: headSchema };

export const isSameActivity = (a: StageOwner, b: StageOwner): boolean =>
  a.workflowId === b.workflowId && a.runId === b.runId && a.activityId === b.activityId;

/** The head with this claim on top: the next fence, a new claim id, not sealed. */
export function claimed(
  head: Pick<Head, 'stageKey' | 'fence' | 'lineage' | 'manifest' | 'previous'>,
  moving: MovingFields,
  owner: StageOwner,
): Head {
  const { lineage = moving.operationId } = head;
  const claim = moving.operationId;
  return { ...head, ...moving, fence: head.fence + 1, lineage, claim, owner: { ...owner }, sealed: false };
}

/**
 * A head that was lost or damaged, put together from the manifests that are there: the latest two by (fence, step).
 * Claims that saved nothing left no trace, so the fence leaps by more than anybody claims; and a writer of before knows by
 * the claim id, not by the fence alone, that it is no longer the holder. Undefined when no manifest is there.
 */
export async function rebuiltHead(
  store: ObjectStore,
  stageKey: string,
): Promise<Pick<Head, 'stageKey' | 'fence' | 'manifest' | 'previous'> | undefined> {
  const references: ManifestRef[] = [];
  for await (const { key } of store.list(manifestPrefix(stageKey))) {
    const read = await readRecord(store, manifestKind, key).catch((error: unknown) => {
      if (hasCode(error, 'record-invalid')) return undefined;
      throw error;
    });
    if (!read || keyOfManifest(read.value) !== key) continue;
    references.push({ key, digest: read.digest, step: read.value.step, fence: read.value.fence });
  }
  references.sort((a, b) => (isLater(a, b) ? -1 : 1));
  const [manifest, previous] = references;
  if (!manifest) return undefined;
  return { stageKey, fence: manifest.fence + fenceLeap, manifest, previous: previous ?? null };
}

const fenceLeap = 1_000_000;
