/** What rows that are scored and the sequences in them must be. */
import { NightstillError } from '../../config/errors.js';
import { checkLengths, checkTokenIds, refuse } from '../inference-checks.js';

/** @throws inference-setting-invalid */
export function checkRowLengths(rowLengths: readonly number[], maximumPositions: number): void {
  checkLengths(rowLengths, 'rows');
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
  checkTokenIds(ids, vocabularySize, where);
  if (ids.length > longest)
    throw new NightstillError('sequence-too-long', `expected at most ${longest} tokens${where}, found ${ids.length}`);
}
