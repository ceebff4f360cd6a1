/**
 * What is kept of a teacher's distributions over the tokens of one sample. A position holds the K most probable ids, by how much
 * their logits are below the greatest, and for each planned temperature the odds of all other tokens together. Nothing that
 * follows from these is kept: with r the missing mass and d the gaps, log p_k = d_k/T − log Σ_K exp(d/T) + log(1 − r). Odds are kept and
 * not the captured mass, because 1 − r rounds to 1 exactly where a teacher is confident.
 *
 * L tokens, P = L − 1 positions: the distribution of position n is about token n + 1.
 */
import { NightstillError } from '../../config/errors.js';
import type { LogitHeader } from './header.js';

export interface LogitRow {
  /** Of the sample. */
  readonly id: string;
  /** [L], the tokens that were scored. */
  readonly ids: Int32Array;
  /** [P, K], most probable first, each position without repetition. */
  readonly topIds: Int32Array;
  /** [P, K], logits less the greatest: 0 first, never rising. −∞: the id only fills a place, and counts with all that are not kept. */
  readonly gaps: Float32Array;
  /** [P] for each temperature of the header: log(r / (1 − r)); −∞ where nothing is missing. */
  readonly missingLogOdds: readonly Float64Array[];
}

/** Exactly one distribution for every token but the first, and nothing that a reader could not use. @throws logits-invalid */
export function checkRow({ id, ids, topIds, gaps, missingLogOdds }: LogitRow, header: LogitHeader): void {
  const positions = Math.max(0, ids.length - 1);
  const refuse = (expected: string, found: unknown): never => {
    throw new NightstillError('logits-invalid', `sample "${id}": expected ${expected}, found ${String(found)}`);
  };
  if (ids.length === 0) refuse('at least one token', 0);
  const { k, temperatures } = header;
  if (topIds.length !== positions * k || gaps.length !== positions * k)
    refuse(
      `${positions} distributions of ${k} ids for ${ids.length} tokens`,
      `${topIds.length} ids, ${gaps.length} logits`,
    );
  if (missingLogOdds.length !== temperatures.length || missingLogOdds.some(({ length }) => length !== positions))
    refuse(`the missing mass of ${positions} positions at ${temperatures.length} temperatures`, 'others');
  const at = unusablePosition(topIds, gaps, header);
  if (at !== undefined)
    refuse(`${k} different ids below ${header.vocabularySize}, by falling logits`, `others at position ${at}`);
  if (missingLogOdds.some((odds) => odds.some((value) => Number.isNaN(value) || value === Infinity)))
    refuse('a missing mass of 0 to 1, 1 excluded', 'another');
}

function unusablePosition(
  topIds: Int32Array,
  gaps: Float32Array,
  { k, vocabularySize }: LogitHeader,
): number | undefined {
  const seen = new Int32Array(vocabularySize);
  for (let entry = 0; entry < topIds.length; entry++) {
    const position = Math.floor(entry / k);
    const id = topIds[entry] ?? -1;
    const gap = gaps[entry] ?? Number.NaN;
    const falls = entry % k === 0 ? gap === 0 : gap <= (gaps[entry - 1] ?? Number.NaN);
    if (id < 0 || id >= vocabularySize || seen[id] === position + 1 || !falls) return position;
    seen[id] = position + 1;
  }
  return undefined;
}
