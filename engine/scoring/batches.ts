/**
 * Sequences into batches of packed rows. What lies where follows from the lengths of the sequences, their order and the
 * settings alone, so a list that is scored again gives the same bits; another list may pack, and round, differently.
 */
import { packRow } from '../data/packing.js';
import type { Place } from './scored.js';

/** One batch of rows, as a program takes it: int32 [rows, columns] each. */
export interface ScoringBatch {
  readonly columns: number;
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  /** 1 … within a row; 0 is padding. */
  readonly segments: Int32Array;
  /** The id that follows in the same sequence; 0 at its last token and in padding. */
  readonly next: Int32Array;
  readonly places: readonly Place[];
}

export interface Waiting {
  readonly index: number;
  readonly ids: Int32Array;
}

/** Takes sequences that wait, oldest first, into one batch. */
export function takeBatch(waiting: Waiting[], rows: number, columns: number): ScoringBatch {
  const size = rows * columns;
  const [ids, positions] = [new Int32Array(size), new Int32Array(size)];
  const [segments, next] = [new Int32Array(size), new Int32Array(size)];
  const places: Place[] = [];
  const window = {
    filled: () => waiting,
    take: (at: number): Waiting => waiting.splice(at, 1)[0] ?? { index: 0, ids: new Int32Array() },
    lengthOf: ({ ids: { length } }: Waiting) => length,
  };
  for (let row = 0; row < rows && waiting.length > 0; row += 1) {
    let offset = row * columns;
    for (const [segment, sequence] of packRow(window, columns).entries()) {
      const { length } = sequence.ids;
      ids.set(sequence.ids, offset);
      next.set(sequence.ids.subarray(1), offset);
      segments.fill(segment + 1, offset, offset + length);
      for (let position = 0; position < length; position += 1) positions[offset + position] = position;
      places.push({ index: sequence.index, offset, length });
      offset += length;
    }
  }
  return { columns, ids, positions, segments, next, places };
}
