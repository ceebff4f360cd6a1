/**
 * Finding the newest intact checkpoint behind a head. Every byte is verified; a manifest with anything damaged or missing is
 * passed over for its parent, so that what is restored was acknowledged once and is never a mix of two.
 */
import { assertBlob, type BlobRef } from './blobs.js';
import type { Json } from './canonical-json.js';
import type { Head } from './head.js';
import { readManifest, type Manifest, type ManifestRef } from './manifest.js';
import type { ObjectStore } from './object-store.js';
import { readGroup } from './packs.js';
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
}

/** @param assertHeld called before anything is put aside: only the holder of the stage may. */
export async function restoreCheckpoint(
  store: ObjectStore,
  head: Pick<Head, 'manifest' | 'previous'>,
  assertHeld: () => Promise<void>,
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
        const restored = { ...(await readCheckpoint(store, manifest)), damaged };
        return { restored, manifest: reference === head.manifest ? manifest : undefined };
      }
    } catch (error) {
      const key = damagedKey(error);
      if (afterSeal) return { restored: undefined, manifest: undefined };
      damaged.push(key);
      await assertHeld();
      await quarantine(store, key);
    }
    next = parent;
  }
  return { restored: undefined, manifest: undefined };
}

/** Reads and verifies one checkpoint. @throws object-missing, object-damaged */
export async function readCheckpoint(
  store: ObjectStore,
  manifest: Manifest,
): Promise<Omit<RestoredCheckpoint, 'damaged'>> {
  const arrays = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const group of manifest.groups)
    for (const [name, array] of await readGroup(store, group)) arrays.set(name, array);
  for (const blob of manifest.references) await assertBlob(store, blob);
  const { step, fence, state, references } = manifest;
  return { step, fence, state, arrays, references };
}
