/** Rows of logits as a teacher with known logits would give them, and batches that ask for them. */
import type { LogitRow, NewLogitHeader } from '../../distillation/logits/index.js';
import { buildBatch, type Batch } from '../../engine/data/packing.js';
import type { Sample } from '../../engine/data/samples.js';
import { createRandom, type Random } from '../../engine/training/random.js';

export const header = (changes: Partial<NewLogitHeader> = {}): NewLogitHeader => ({
  teacherDigest: `sha256:${'a'.repeat(64)}`,
  tokenizerDigest: 'b'.repeat(64),
  vocabularySize: 32,
  k: 5,
  temperatures: [1, 2],
  valueType: 'float32',
  ...changes,
});

/** Σ exp(z / T), relative to the greatest logit. */
const sumExp = (logits: readonly number[], greatest: number, temperature: number): number =>
  logits.reduce((sum, logit) => sum + Math.exp((logit - greatest) / temperature), 0);

/** Teacher's whole distribution of each position, in double precision. */
export const probabilitiesOf = (logits: readonly number[], temperature: number): number[] => {
  const greatest = Math.max(...logits);
  const sum = sumExp(logits, greatest, temperature);
  return logits.map((logit) => Math.exp((logit - greatest) / temperature) / sum);
};

/** @param logits [P][V], with different values in each position */
export function rowOf(
  { id, ids }: Pick<Sample, 'id' | 'ids'>,
  logits: readonly (readonly number[])[],
  { k, temperatures }: NewLogitHeader,
): LogitRow {
  const ordered = logits.map((position) => [...position.keys()].sort((a, b) => position[b]! - position[a]!));
  const at = (position: number, id_: number): number =>
    logits[position]![id_]! - logits[position]![ordered[position]![0]!]!;
  return {
    id,
    ids,
    topIds: Int32Array.from(ordered.flatMap((order) => order.slice(0, k))),
    gaps: Float32Array.from(ordered.flatMap((order, position) => order.slice(0, k).map((top) => at(position, top)))),
    missingLogOdds: temperatures.map((temperature) =>
      Float64Array.from(ordered, (order, position) => {
        const masses = order.map((top) => Math.exp(at(position, top) / temperature));
        const sum = (some: readonly number[]): number => some.reduce((total, mass) => total + mass, 0);
        return Math.log(sum(masses.slice(k))) - Math.log(sum(masses.slice(0, k)));
      }),
    ),
  };
}

/** Samples of 2 to 9 tokens of which all but the first two are learned, each with the logits of a teacher. */
export function teacherSamples(count: number, vocabularySize: number, random: Random = createRandom(3, 'samples')) {
  return Array.from({ length: count }, (_, number) => {
    const ids = Int32Array.from({ length: 2 + random.integer(8) }, () => random.integer(vocabularySize));
    const sample: Sample = {
      id: `sample ${number}`,
      ids,
      trained: ids.length > 2 ? [{ start: 2, end: ids.length }] : [],
    };
    const logits = Array.from({ length: ids.length - 1 }, () =>
      Array.from({ length: vocabularySize }, () => 3 * random.normal()),
    );
    return { sample, logits };
  });
}

/** Samples two to a row, each row 20 tokens long. */
export function batchOf(samples: readonly Sample[]): Batch {
  const rows = Array.from({ length: Math.ceil(samples.length / 2) }, (_, row) => samples.slice(2 * row, 2 * row + 2));
  return buildBatch(rows, rows.length, 20);
}
