/**
 * Damaged objects are put aside and their key is freed, so that the next save writes them again. Only a writer that holds
 * its stage does this; a reader reports. What is missing needs no room.
 */
import { NightstillError, asNightstillError, hasCode } from '../config/errors.js';
import { prefixes } from './layout.js';
import type { ObjectStore } from './object-store.js';
import { readSmall } from './record.js';
import { removeUnchanged } from './remove-unchanged.js';

/** @returns where the damaged bytes lie now, or undefined when they were gone or had been renewed meanwhile */
export async function quarantine(store: ObjectStore, key: string): Promise<string | undefined> {
  const before = await store.describe(key);
  if (!before) return undefined;
  const aside = `${prefixes.quarantine}${key}/${before.modifiedAtMs}`;
  try {
    const { bytes } = await readSmall(store, key);
    await store.put(aside, bytes);
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

/** The key of the damaged or missing object that an error names. Every other error is thrown on. */
export function damagedKey(error: unknown): string {
  const known = asNightstillError(error);
  const { key } = known.details;
  const isDamage = hasCode(error, 'object-damaged', 'object-missing', 'record-invalid') && typeof key === 'string';
  if (!isDamage) throw error instanceof NightstillError ? error : known;
  return key;
}
