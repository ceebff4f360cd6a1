/**
 * Removing what was judged, and only that. Stores have no conditional delete that tells an object from its renewal by equal
 * bytes, so a look goes before the delete, and the delete follows it at once or not at all: a process that was stopped in
 * between looks again, and so does one whose delete was not answered while the look was fresh: it is not repeated blindly.
 * What remains is the way of one request to the store.
 */
import { hasCode } from '../config/errors.js';
import type { ObjectDescription, ObjectKey, ObjectStore } from './object-store.js';

/** How long what was seen is a ground to delete. */
const freshMs = 1000;
const looks = 3;

/** @returns false when it was gone or another, or when the store answers too slowly to know */
export async function removeUnchanged(
  store: ObjectStore,
  key: ObjectKey,
  isUnchanged: (now: ObjectDescription) => boolean,
): Promise<boolean> {
  for (let look = 1; look <= looks; look += 1) {
    const lookedAtMs = performance.now();
    const now = await store.describe(key);
    if (!now || !isUnchanged(now)) return false;
    const leftMs = Math.floor(freshMs - (performance.now() - lookedAtMs));
    if (leftMs <= 0) continue;
    try {
      await store.remove(key, { signal: AbortSignal.timeout(leftMs) });
      return true;
    } catch (error) {
      if (!hasCode(error, 'operation-aborted')) throw error;
    }
  }
  return false;
}
