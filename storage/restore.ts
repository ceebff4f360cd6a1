/**
 * Finding the newest intact checkpoint behind a head. Every byte is verified; a manifest with anything damaged or missing is
 * passed over for its parent, so that what is restored was acknowledged once and is never a mix of two.
 */
import { readBlob, type BlobRef } from './blobs.js';
import type { OwnedBytes } from './hashing.js';
import type { Json } from './canonical-json.js';
import type { Head } from './head.js';
import { readManifest, type Manifest, type ManifestRef } from './manifest.js';
import type { ObjectStore } from './object-store.js';
import { readGroup, readsInFlight } from './packs.js';
import { inParallel } from './parallel.js';
import { damagedKey, quarantine } from './quarantine.js';

export interface RestoredCheckpoint {
  readonly step: number;
  readonly fence: number;
  readonly state: Json;
  /** By name, frozen ones among them. */
  readonly arrays: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly references: readonly BlobRef[];
  /** Keys of damaged or missing objects met on the way: newer checkpoints were lost with them. */
  readonly damaged: readonly string[];
}

export interface Restoration {
  readonly restored: RestoredCheckpoint | undefined;
  /** The head's own manifest, when that was restored: its blobs need no second upload. */
  readonly manifest: Manifest | undefined;
  /** Where the restored checkpoint lies. */
  readonly reference: ManifestRef | null;
  /** What this and earlier restorations met damaged. */
  readonly passedOver: readonly string[];
}

export interface RestoreCalls {
  /** Called before anything is put aside: only the holder of the stage may. */
  readonly assertHeld: () => Promise<void>;
  readonly onRead?: ((bytes: number) => void) | undefined;
}

const nothing = { restored: undefined, manifest: undefined, reference: null };

export async function restoreCheckpoint(
  store: ObjectStore,
  head: Pick<Head, 'manifest' | 'previous'>,
  { assertHeld, onRead }: RestoreCalls,
): Promise<Restoration> {
  const damaged: string[] = [];
  let afterSeal = false;
  let next: ManifestRef | null = head.manifest;
  while (next) {
    const reference: ManifestRef = next;
    let parent: ManifestRef | null = reference === head.manifest ? head.previous : null;
    try {
      const manifest = await readManifest(store, reference);
      parent = manifest.parent;
      // A seal is no state to go on from: it is met here only when its result was lost, and the stage runs again, perhaps
      // after a collection has taken its checkpoints.
      afterSeal ||= manifest.outcome !== null;
      if (!manifest.outcome) {
        const restored = { ...(await readCheckpoint(store, manifest, onRead)), damaged };
        const passedOver = [...(manifest.passedOver ?? []), ...damaged];
        return { restored, manifest: reference === head.manifest ? manifest : undefined, reference, passedOver };
      }
    } catch (error) {
      const key = damagedKey(error);
      if (afterSeal) return { ...nothing, passedOver: damaged };
      damaged.push(key);
      await assertHeld();
      await quarantine(store, key);
    }
    next = parent;
  }
  return { ...nothing, passedOver: damaged };
}

/** Reads and verifies one checkpoint, the blobs that it refers to among it. @throws object-missing, object-damaged */
export async function readCheckpoint(
  store: ObjectStore,
  manifest: Manifest,
  onRead: (bytes: number) => void = () => undefined,
): Promise<Omit<RestoredCheckpoint, 'damaged'>> {
  const arrays = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const group of manifest.groups)
    for (const [name, array] of await readGroup(store, group, onRead)) arrays.set(name, array);
  const spare: OwnedBytes[] = [];
  await inParallel(readsInFlight, manifest.references, async (blob) => {
    spare.push(await readBlob(store, blob, { memory: spare.pop() }));
    onRead(blob.bytes);
  });
  const { step, fence, state, references } = manifest;
  return { step, fence, state, arrays, references };
}
