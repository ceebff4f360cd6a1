import fc from 'fast-check';
import { buildBatch, packRow } from '../../../../engine/data/packing.js';
import type { Sample } from '../../../../engine/data/samples.js';

const sample = (id: string, ids: readonly number[], ...trained: readonly (readonly [number, number])[]): Sample => ({
  id,
  ids: Int32Array.from(ids),
  trained: trained.map(([start, end]) => ({ start, end })),
});

interface Waiting {
  readonly length: number;
  /** How many rows were full when it came into the window. */
  readonly since: number;
}

/** Rows of samples, packed until nothing is left. */
function packWaiting(lengths: readonly number[], columns: number, limit: number): Waiting[][] {
  const ahead = [...lengths];
  const waiting: Waiting[] = [];
  const rows: Waiting[][] = [];
  const window = {
    filled: () => {
      const come = ahead.splice(0, limit - waiting.length);
      waiting.push(...come.map((length) => ({ length, since: rows.length })));
      return waiting;
    },
    take: (index: number) => waiting.splice(index, 1)[0]!,
    lengthOf: ({ length }: Waiting) => length,
  };
  for (let row = packRow(window, columns); row.length > 0; row = packRow(window, columns)) rows.push(row);
  return rows;
}

const packAll = (lengths: readonly number[], columns: number, limit: number): number[][] =>
  packWaiting(lengths, columns, limit).map((row) => row.map(({ length }) => length));

describe('packing', () => {
  test('a row begins with the oldest sample and takes the longest that still fits', () => {
    expect(packAll([3, 9, 4, 7, 5, 2], 10, 64)).toEqual([[3, 7], [9], [4, 5], [2]]);
  });

  test('a window of one packs in order and fills no gap', () => {
    expect(packAll([3, 9, 4, 5, 2], 10, 1)).toEqual([[3], [9], [4, 5], [2]]);
  });

  test('every sample is in exactly one row, no row is too long, and no sample waits longer than its window', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 200 }),
        fc.integer({ min: 50, max: 120 }),
        fc.integer({ min: 1, max: 64 }),
        (lengths, columns, limit) => {
          const waited = packWaiting(lengths, columns, limit);
          for (const [number, row] of waited.entries())
            for (const { since } of row) expect(number - since).toBeLessThanOrEqual(limit);
          const rows = waited.map((row) => row.map(({ length }) => length));
          const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b);
          expect(sorted(rows.flat())).toEqual(sorted(lengths));
          for (const row of rows) expect(row.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(columns);
        },
      ),
      { seed: 7 },
    );
  });

  test('look-ahead wastes less than packing in order: padding of lengths as they come falls from a fifth to nearly nothing', () => {
    const lengths = Array.from({ length: 2000 }, (_, index) => 20 + ((index * 7919) % 400));
    const padding = (limit: number) => {
      const rows = packAll(lengths, 512, limit);
      return 1 - lengths.reduce((sum, length) => sum + length, 0) / (rows.length * 512);
    };
    expect(padding(1)).toBeGreaterThan(0.15);
    expect(padding(64)).toBeLessThan(0.02);
  });
});

describe('a batch', () => {
  const packed = [
    [sample('a', [5, 6, 7, 8], [2, 4]), sample('b', [9, 10], [0, 2])],
    [sample('c', [11, 12, 13], [1, 2])],
  ];

  test('has labels one position before their tokens, and weight 0 on prompts, at ends of segments and on padding', () => {
    expect(buildBatch(packed, 3, 7)).toEqual({
      rows: 3,
      columns: 7,
      ids: Int32Array.of(5, 6, 7, 8, 9, 10, 0, 11, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      labels: Int32Array.of(6, 7, 8, 0, 10, 0, 0, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      weights: Float32Array.of(0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      positions: Int32Array.of(0, 1, 2, 3, 0, 1, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      segments: Int32Array.of(1, 1, 1, 1, 2, 2, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      placements: [
        { row: 0, start: 0, sample: packed[0]![0] },
        { row: 0, start: 4, sample: packed[0]![1] },
        { row: 1, start: 0, sample: packed[1]![0] },
      ],
      tokens: 9,
      trainedTokens: 4,
    });
  });
});
