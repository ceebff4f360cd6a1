/** What rows that are scored and the sequences in them must be. */
import { NightstillError } from '../../config/errors.js';

export const refuse = (expected: string): NightstillError =>
  new NightstillError('inference-setting-invalid', `expected ${expected}`);

export const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

/** @throws inference-setting-invalid */
export function checkRowLengths(rowLengths: readonly number[], maximumPositions: number): void {
  const ascending = rowLengths.every((length, index) => length > (rowLengths[index - 1] ?? 0));
  if (rowLengths.length === 0 || !rowLengths.every(isCount) || !ascending)
    throw refuse(`ascending lengths of rows, found [${rowLengths.join(', ')}]`);
  const longest = rowLengths.at(-1) ?? 0;
  if (longest > maximumPositions) throw refuse(`rows of at most ${maximumPositions} tokens, found ${longest}`);
}

interface Readable {
  readonly rowLengths: readonly number[];
  /** Ids are below it. */
  readonly vocabularySize: number;
}

/**
 * @param where the sequence is, for the message
 * @throws inference-setting-invalid, sequence-too-long
 */
export function checkSequence({ rowLengths, vocabularySize }: Readable, ids: Int32Array, where = ''): void {
  const longest = rowLengths.at(-1) ?? 0;
  if (ids.length === 0) throw refuse(`at least one token${where}, found none`);
  const strange = ids.find((id) => id < 0 || id >= vocabularySize);
  if (strange !== undefined) throw refuse(`token ids of 0 to ${vocabularySize - 1}${where}, found ${strange}`);
  if (ids.length > longest)
    throw new NightstillError('sequence-too-long', `expected at most ${longest} tokens${where}, found ${ids.length}`);
}
