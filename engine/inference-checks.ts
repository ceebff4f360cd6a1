/** What scoring and generation ask of their settings and of the sequences that they are given. */
import { NightstillError } from '../config/errors.js';

export const refuse = (expected: string): NightstillError =>
  new NightstillError('inference-setting-invalid', `expected ${expected}`);

export const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

/**
 * @param what they are the lengths of, in the plural
 * @throws inference-setting-invalid
 */
export function checkLengths(lengths: readonly number[], what: string): void {
  const ascending = lengths.every((length, index) => length > (lengths[index - 1] ?? 0));
  if (lengths.length === 0 || !lengths.every(isCount) || !ascending)
    throw refuse(`ascending lengths of ${what}, found [${lengths.join(', ')}]`);
}

/**
 * @param where the sequence is, for the message
 * @throws inference-setting-invalid
 */
export function checkTokenIds(ids: Int32Array, vocabularySize: number, where = ''): void {
  const strange = ids.find((id) => id < 0 || id >= vocabularySize);
  if (strange !== undefined) throw refuse(`token ids of 0 to ${vocabularySize - 1}${where}, found ${strange}`);
}
