/**
 * Damaged objects are put aside and their key is freed, so that the next save writes them again. Restore does so while it
 * holds the stage, the claim with a damaged head, a lookup with a damaged copy of a result; other readers only report. None
 * of this is guarded by the fence, so what lies there is judged anew: whoever found the damage may have been stopped, and the
 * object renewed. What is missing needs no room.
 */
import { NightstillError, asNightstillError, hasCode } from '../config/errors.js';
import { digestOf } from './digest.js';
import { blobKey, prefixes } from './layout.js';
import type { ObjectStore } from './object-store.js';
import { readUntilCertain } from './reading.js';
import { isWholeRecord, readSmall } from './record.js';
import { removeUnchanged } from './remove-unchanged.js';

/** @returns where the damaged bytes lie now, or undefined when they were gone, are whole, or had been renewed meanwhile */
export async function quarantine(store: ObjectStore, key: string): Promise<string | undefined> {
  const before = await store.describe(key);
  if (!before) return undefined;
  const aside = `${prefixes.quarantine}${key}/${before.modifiedAtMs}`;
  try {
    const damaged = await damagedBytes(store, key);
    if (!damaged) return undefined;
    await store.put(aside, damaged);
  } catch (error) {
    // What cannot even be read is not worth keeping; a store that does not answer is another matter.
    if (!hasCode(error, 'object-damaged', 'object-missing', 'record-invalid')) throw error;
  }
  const { version, modifiedAtMs } = before;
  const isFree = await removeUnchanged(
    store,
    key,
    (now) => now.version === version && now.modifiedAtMs === modifiedAtMs,
  );
  return isFree ? aside : undefined;
}

/** What lies there, or undefined when it is whole: somebody wrote it again since the damage was seen. */
async function damagedBytes(store: ObjectStore, key: string): Promise<Uint8Array | undefined> {
  const whole = { value: undefined };
  let damaged: Uint8Array | undefined;
  const reading = readUntilCertain(key, async () => {
    const { bytes } = await readSmall(store, key);
    const digest = digestOf(bytes);
    const isWhole = key.startsWith(prefixes.blobs) ? key === blobKey(digest) : isWholeRecord(bytes);
    if (isWhole) return whole;
    damaged = bytes;
    return {
      fingerprint: digest,
      error: new NightstillError('object-damaged', `${key}: damaged`, { details: { key } }),
    };
  });
  return reading.catch((error: unknown) => {
    if (damaged && hasCode(error, 'object-damaged')) return damaged;
    throw error;
  });
}

/** The key of the damaged or missing object that an error names. Every other error is thrown on. */
export function damagedKey(error: unknown): string {
  const known = asNightstillError(error);
  const { key } = known.details;
  const isDamage = hasCode(error, 'object-damaged', 'object-missing', 'record-invalid') && typeof key === 'string';
  if (!isDamage) throw error instanceof NightstillError ? error : known;
  return key;
}
