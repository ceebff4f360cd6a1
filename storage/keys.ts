/**
 * Object keys: which strings may name an object, the same for every adapter, so that a store can be copied from one to
 * another. A valid key is safe as a relative path and needs no escaping in a URL.
 * One rule cannot be seen in a single string: no key may be a path prefix of another (`a/b` and `a/b/c`). Adapters over
 * directories refuse it with the same code where they see it.
 */
import { NightstillError } from '../config/errors.js';
import type { ObjectKey } from './object-store.js';

const longestKey = 900;
/** File names hold 255 bytes; adapters add marks of their own. */
const longestSegment = 240;
const segmentPattern = /^[A-Za-z0-9._=-]+$/;

/** @throws object-key-invalid */
export function validateKey(key: ObjectKey): void {
  const problem = problemOf(key);
  if (problem === undefined) return;
  const shown = key.length > 120 ? `${key.slice(0, 120)}…` : key;
  throw new NightstillError('object-key-invalid', `Expected ${problem}, found ${JSON.stringify(shown)}`, {
    details: { key: shown },
  });
}

export const isValidKey = (key: string): boolean => problemOf(key) === undefined;

/** Can a valid key begin with this? Asking a store for the others would find nothing, or what is not ours. */
export function mayBeginKey(prefix: string): boolean {
  const parent = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (parent !== '' && !isValidKey(parent.slice(0, -1))) return false;
  return prefix.length <= longestKey && /^[A-Za-z0-9._=-]*$/.test(prefix.slice(parent.length));
}

function problemOf(key: string): string | undefined {
  if (key.length === 0 || key.length > longestKey) return `a key of 1 to ${longestKey} characters`;
  for (const segment of key.split('/')) {
    if (segment === '') return 'a key without leading, trailing or double slashes';
    if (segment === '.' || segment === '..') return 'a key without "." and ".." segments';
    if (segment.length > longestSegment) return `segments of at most ${longestSegment} characters`;
    if (!segmentPattern.test(segment)) return 'a key of A-Z a-z 0-9 . _ = - and slashes';
  }
  return undefined;
}
