/**
 * One checkpoint made durable, in the order that a crash at any point survives: blobs, manifest, head.
 *
 * Against collection: an upload is skipped only for blobs named by the manifest that this writer's head points to, since the
 * head keeps those alive; every other blob is put again, which renews its age. They are described before the head moves, so
 * that a head never points to what was already gone, and once more after it, when the head keeps them alive: a blob or a
 * manifest that a collection took in between is put again from memory before anything is acknowledged.
 */
import { assertBlob, hasBlob, putHashedBlob, type BlobRef } from './blobs.js';
import type { Json } from './canonical-json.js';
import { createOnce } from './conditional.js';
import { digestOf, type Digest } from './digest.js';
import type { Head } from './head.js';
import {
  blobsOfManifest,
  keyOfManifest,
  manifestKind,
  type Manifest,
  type ManifestRef,
  type StageOutcome,
} from './manifest.js';
import type { ObjectStore } from './object-store.js';
import { chunkBytes, hashPack, packBytes, type CopiedGroup, type Group } from './packs.js';
import { inParallel } from './parallel.js';
import { encodeRecord } from './record.js';

/** Packs in flight: with 16 MiB each, 64 MiB on their way. */
const uploadsInFlight = 4;
const renewals = 3;

export interface Checkpoint {
  readonly step: number;
  readonly state: Json;
  /** A copy to be uploaded, or what an earlier save of this writer has uploaded (frozen arrays). */
  readonly groups: readonly (CopiedGroup | Group)[];
  readonly references: readonly BlobRef[];
  readonly outcome: StageOutcome | null;
  /** Called after every pack that the store has: a save of gigabytes shows that it goes on. */
  readonly onPack?: (() => void) | undefined;
}

/** What of a manifest depends on when it is written: a save that is made again, after a failure, keeps it, and so has the same bytes. */
export interface Moment {
  /** The last checkpoint known to be intact. */
  readonly base: ManifestRef | null;
  /** Time under a claim until now. */
  readonly workedMs: number;
}

export interface Commit extends Moment {
  readonly checkpoint: Checkpoint;
  readonly head: Pick<Head, 'stageKey' | 'fence' | 'owner'>;
  /** The manifest that the head points to, where it is known to be intact: the head keeps its blobs. */
  readonly kept: Manifest | undefined;
  /** What restorations met damaged, up to here. */
  readonly passedOver: readonly string[];
}

/**
 * @returns the manifest that the head points to now
 * @throws object-missing when a referenced blob is gone; whatever `moveHead` throws
 */
export async function commitCheckpoint(
  store: ObjectStore,
  { checkpoint, head, base, kept: keptManifest, passedOver, workedMs }: Commit,
  moveHead: (reference: ManifestRef) => Promise<void>,
): Promise<Manifest> {
  const kept = new Set<Digest>(keptManifest ? blobsOfManifest(keptManifest).map(({ digest }) => digest) : []);
  const uploads = new Map<Digest, Uint8Array>();
  const groups: Group[] = [];
  for (const group of checkpoint.groups)
    groups.push(
      'packs' in group ? group : await uploadGroup(store, group, { kept, uploads, onPack: checkpoint.onPack }),
    );
  const { step, state, references, outcome } = checkpoint;
  const manifest: Manifest = {
    stageKey: head.stageKey,
    step,
    fence: head.fence,
    parent: base,
    state,
    groups,
    references: [...references],
    outcome,
    ...(passedOver.length > 0 && { passedOver: [...passedOver] }),
    recordedBy: head.owner.workflowId,
    workedMs,
  };
  const fresh = blobsOfManifest(manifest).filter(({ digest }) => !kept.has(digest));
  await assertThere(store, fresh, uploads);
  const bytes = encodeRecord(manifestKind, manifest);
  const reference = { key: keyOfManifest(manifest), digest: digestOf(bytes), step, fence: head.fence };
  await createOnce(store, reference.key, bytes);
  await moveHead(reference);
  await assertThere(store, fresh, uploads);
  if (!(await store.describe(reference.key))) await createOnce(store, reference.key, bytes);
  return manifest;
}

interface Uploading extends Pick<Checkpoint, 'onPack'> {
  readonly kept: ReadonlySet<Digest>;
  readonly uploads: Map<Digest, Uint8Array>;
}

/** Hashes and uploads pack by pack, so that no more than the packs in flight are copied for hashing. */
async function uploadGroup(
  store: ObjectStore,
  group: CopiedGroup,
  { kept, uploads, onPack }: Uploading,
): Promise<Group> {
  const packs: Group['packs'] = [];
  await inParallel(uploadsInFlight, group.buffers.keys(), async (index) => {
    const pack = await hashPack(group, index);
    packs[index] = pack;
    const buffer = group.buffers[index];
    if (buffer && !kept.has(pack.digest) && !uploads.has(pack.digest)) {
      uploads.set(pack.digest, buffer);
      await putHashedBlob(store, pack.digest, buffer);
    }
    onPack?.();
  });
  return { packBytes, chunkBytes, packs, arrays: group.arrays };
}

async function assertThere(
  store: ObjectStore,
  blobs: readonly BlobRef[],
  uploads: ReadonlyMap<Digest, Uint8Array>,
): Promise<void> {
  await inParallel(uploadsInFlight, blobs, async (blob) => {
    const bytes = uploads.get(blob.digest);
    for (let renewal = 0; bytes && renewal < renewals && !(await hasBlob(store, blob)); renewal += 1)
      await putHashedBlob(store, blob.digest, bytes);
    await assertBlob(store, blob);
  });
}
