/**
 * Ranges of bytes, half open, by the rules of the port: a range begins inside the object and is cut at its end.
 */
import { NightstillError } from '../config/errors.js';
import type { ByteRange, ObjectKey } from './object-store.js';

/** @throws object-range-invalid for a range that no object can have */
export function validateRange(key: ObjectKey, range: ByteRange | undefined): void {
  if (range === undefined) return;
  const { start, end } = range;
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end) return;
  throw rangeInvalid(key, range, 'whole numbers with 0 <= start < end');
}

/** The bytes to read; without a range all of them. @throws object-range-invalid */
export function clampRange(key: ObjectKey, range: ByteRange | undefined, bytes: number): ByteRange {
  if (range === undefined) return { start: 0, end: bytes };
  if (range.start >= bytes) throw rangeInvalid(key, range, `a start below the ${bytes} bytes of the object`);
  return { start: range.start, end: Math.min(range.end, bytes) };
}

const rangeInvalid = (key: ObjectKey, { start, end }: ByteRange, expected: string): NightstillError =>
  new NightstillError('object-range-invalid', `${key}: expected ${expected}, found ${start} to ${end}`, {
    details: { key, start: Number.isFinite(start) ? start : null, end: Number.isFinite(end) ? end : null },
  });
