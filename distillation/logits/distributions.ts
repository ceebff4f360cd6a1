/**
 * From what is stored to what a loss takes: log-probabilities and missing mass at a temperature, over the ids that the student
 * has. Where the teacher's vocabulary is larger, stored ids that the student lacks are cut: their mass is taken out of the
 * teacher's distribution, and the rest is scaled to 1 again, as the engine does with whole distributions. A loss takes K ids for
 * every token: a cut one leaves its place to any id that is not stored there, whose probability is part of the missing mass, and
 * which therefore has none of its own (log p = −∞).
 */
import { NightstillError } from '../../config/errors.js';
import type { LogitHeader } from './header.js';
import { invalidShard, type StoredDistributions } from './shard-format.js';

/** Arrays of a whole batch, N tokens of K ids. */
export interface TeacherRows {
  /** int32 [N, K] */
  readonly teacherIds: Int32Array;
  /** float32 [N, K] */
  readonly teacherLogProbabilities: Float32Array;
  /** float32 [N] */
  readonly teacherMissingMass: Float32Array;
}

/** Rows of weight 0. Their ids differ, and are below every vocabulary size of at least K. */
export function emptyRows(tokens: number, k: number): TeacherRows {
  return {
    teacherIds: Int32Array.from({ length: tokens * k }, (_, entry) => entry % k),
    teacherLogProbabilities: new Float32Array(tokens * k).fill(-Math.log(k)),
    teacherMissingMass: new Float32Array(tokens),
  };
}

/** Which of the captured temperatures it is. @throws logits-invalid */
export function temperatureIndex({ temperatures }: LogitHeader, temperature: number): number {
  const index = temperatures.indexOf(temperature);
  if (index !== -1) return index;
  throw new NightstillError(
    'logits-invalid',
    `temperature: expected one that was captured (${temperatures.join(', ')}), found ${temperature}`,
  );
}

export interface Reading {
  readonly place: string;
  readonly header: LogitHeader;
  readonly temperature: number;
  /** Of the student: ids of the teacher from here on are cut off. */
  readonly vocabularySize: number;
  /** Of all rows of the batch: 0 where nothing is learned. */
  readonly weights: Float32Array;
}

/**
 * Writes the distributions of one sample into the rows from `first` on. A row without weight stays as it is where the student has
 * none of its ids.
 * @throws logits-invalid where it has none and they are to be learned
 */
export function writeDistributions(
  stored: StoredDistributions,
  { place, header, temperature, vocabularySize, weights }: Reading,
  into: TeacherRows,
  first: number,
): void {
  const { k } = header;
  const odds = stored.missingLogOdds[temperatureIndex(header, temperature)];
  const seen = new Int32Array(header.vocabularySize);
  for (let position = 0; position < stored.positions; position++) {
    const row = first + position;
    const ids = stored.topIds.subarray(position * k, (position + 1) * k);
    for (const id of ids) {
      if (id >= header.vocabularySize || seen[id] === position + 1)
        throw invalidShard(place, `${k} different ids below ${header.vocabularySize}`, `${id} at position ${position}`);
      seen[id] = position + 1;
    }
    const gaps = stored.gaps.subarray(position * (k - 1), (position + 1) * (k - 1));
    const greatestGap = greatestOf(ids, gaps, vocabularySize);
    if (greatestGap === -Infinity) {
      if (weights[row] !== 0) throw noneOf(k, vocabularySize, `${place}, position ${position}`);
      continue;
    }
    into.teacherIds.set(ids, row * k);
    into.teacherMissingMass[row] = writePosition(
      { gaps, greatestGap, logOdds: odds?.[position] ?? Number.NaN, temperature, vocabularySize },
      into.teacherIds.subarray(row * k, (row + 1) * k),
      into.teacherLogProbabilities.subarray(row * k, (row + 1) * k),
    );
  }
}

const gapOf = (gaps: Float32Array, index: number): number => gaps[index - 1] ?? 0;

/** Of the gaps of ids that the student has; −∞ where it has none that the teacher gives a probability. */
function greatestOf(ids: Int32Array, gaps: Float32Array, vocabularySize: number): number {
  let greatest = -Infinity;
  for (const [index, id] of ids.entries()) if (id < vocabularySize) greatest = Math.max(greatest, gapOf(gaps, index));
  return greatest;
}

const noneOf = (k: number, vocabularySize: number, place: string): NightstillError =>
  new NightstillError(
    'logits-invalid',
    `${place}: expected one of the ${k} most probable ids of the teacher below ${vocabularySize}, as the student has ` +
      'them, found none: capture them with the input student',
  );

interface StoredPosition {
  /** Of all ids but the first, whose gap is 0. */
  readonly gaps: Float32Array;
  /** Of the ids that the student has; finite. */
  readonly greatestGap: number;
  /** log(r / (1 − r)) of the missing mass r. */
  readonly logOdds: number;
  readonly temperature: number;
  readonly vocabularySize: number;
}

/**
 * log p_k = d_k/T − log Σ exp(d/T) + log(1 − r), over the ids that the student has. Their sum is taken relative to the greatest: at a
 * low temperature all that is left of a cut position may be less than the least number.
 * @returns the missing mass
 */
function writePosition(
  { gaps, greatestGap, logOdds, temperature, vocabularySize }: StoredPosition,
  ids: Int32Array,
  logProbabilities: Float32Array,
): number {
  const logitOf = (index: number): number => gapOf(gaps, index) / temperature;
  const greatest = greatestGap / temperature;
  let [stored, kept] = [0, 0];
  for (const [index, id] of ids.entries()) {
    stored += Math.exp(logitOf(index));
    if (id < vocabularySize) kept += Math.exp(logitOf(index) - greatest);
  }
  // The missing mass stays and the kept mass shrinks, so the odds of a missing id rise.
  const keptLogOdds = logOdds + Math.log(stored / kept) - greatest;
  // log(1 − r) = −log(1 + exp(log odds)), written so that neither side overflows.
  const logOfKept = -(Math.max(keptLogOdds, 0) + Math.log1p(Math.exp(-Math.abs(keptLogOdds))));
  const shift = logOfKept - Math.log(kept) - greatest;
  for (const [index, id] of ids.entries())
    logProbabilities[index] = id < vocabularySize ? logitOf(index) + shift : -Infinity;
  if (ids.some((id) => id >= vocabularySize)) placeOthers(ids, vocabularySize);
  return 1 / (1 + Math.exp(-keptLogOdds));
}

/** Puts an id that is not in the row yet in the place of each cut one. */
function placeOthers(ids: Int32Array, vocabularySize: number): void {
  const taken = new Set(ids);
  let other = 0;
  for (const [index, id] of ids.entries()) {
    if (id < vocabularySize) continue;
    while (taken.has(other)) other += 1;
    ids[index] = other++;
  }
}
