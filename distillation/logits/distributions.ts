/**
 * From what is stored to what a loss takes: log-probabilities and missing mass at a temperature, over the ids that the student
 * has. Where the teacher's vocabulary is larger, both are cut to the common ids: what is cut is taken out of the teacher's
 * distribution, and the others are scaled to 1 again, as the engine does with whole distributions.
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

/** Rows without weight: their ids differ and are in every vocabulary of at least K. */
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
}

/** Writes the distributions of one sample into the rows from `first` on. */
export function writeDistributions(
  stored: StoredDistributions,
  { place, header, temperature, vocabularySize }: Reading,
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
    const logOdds = odds?.[position] ?? Number.NaN;
    const logProbabilities = into.teacherLogProbabilities.subarray(row * k, (row + 1) * k);
    into.teacherIds.set(ids, row * k);
    writeLogProbabilities(
      stored.gaps.subarray(position * (k - 1), (position + 1) * (k - 1)),
      temperature,
      logOdds,
      logProbabilities,
    );
    const kept = cutToVocabulary(into.teacherIds.subarray(row * k, (row + 1) * k), logProbabilities, vocabularySize);
    into.teacherMissingMass[row] = 1 / (1 + Math.exp(-logOdds)) / kept;
  }
}

/** log p_k = d_k/T − log Σ exp(d/T) + log(1 − r); the first gap is 0. */
function writeLogProbabilities(gaps: Float32Array, temperature: number, logOdds: number, into: Float32Array): void {
  let sum = 1;
  for (const gap of gaps) sum += Math.exp(gap / temperature);
  // log(1 − r) = −log(1 + exp(log odds)), written so that neither side overflows.
  const logCaptured = -(Math.max(logOdds, 0) + Math.log1p(Math.exp(-Math.abs(logOdds))));
  const shift = logCaptured - Math.log(sum);
  into[0] = shift;
  for (const [index, gap] of gaps.entries()) into[index + 1] = gap / temperature + shift;
}

/** Puts free ids of probability 0 where the student has none, and returns what is left of the teacher's mass. */
function cutToVocabulary(ids: Int32Array, logProbabilities: Float32Array, vocabularySize: number): number {
  if (ids.every((id) => id < vocabularySize)) return 1;
  const taken = new Set(ids);
  let [cut, free] = [0, 0];
  for (const [index, id] of ids.entries()) {
    if (id < vocabularySize) continue;
    cut += Math.exp(logProbabilities[index] ?? -Infinity);
    while (taken.has(free)) free += 1;
    ids[index] = free++;
    logProbabilities[index] = -Infinity;
  }
  const kept = 1 - cut;
  for (const [index, value] of logProbabilities.entries()) logProbabilities[index] = value - Math.log(kept);
  return kept;
}
