/** What a scorer says becomes rows only where it is a distribution; how much of it is kept is counted position by position. */
import { captureRows } from '../../../../distillation/logits/index.js';
import { addMass, describeMass, noMass } from '../../../../distillation/logits/captured-mass.js';
import type { ScoredSequence } from '../../../../engine/index.js';

const sample = { id: 'a', ids: Int32Array.of(5, 6, 7), trained: [] };
const samples = { samples: 1, read: () => Promise.resolve(sample) };

/** Of the first position two equal probabilities with this sum, and this rest; the second is as it should be. */
const says = (captured: number, missing: number) => ({
  async *score(): AsyncGenerator<ScoredSequence> {
    const half = Math.log(captured / 2);
    yield Promise.resolve({
      index: 0,
      tokenLogProbabilities: new Float32Array(2),
      topIds: Int32Array.of(1, 2, 3, 4),
      topGaps: Float32Array.of(0, 0, 0, Math.log(0.5)),
      distributions: [
        {
          temperature: 1,
          topLogProbabilities: Float32Array.of(half, half, Math.log(0.5), Math.log(0.25)),
          missingMass: Float32Array.of(missing, 0.25),
          logSumExp: new Float32Array(2),
        },
      ],
    });
  },
});

const rowsOf = async (captured: number, missing: number) => {
  const rows = [];
  for await (const row of captureRows(says(captured, missing), samples)) rows.push(row);
  return rows;
};

it.each([
  ['more than 1 + 1e-3', 1.002, 0],
  ['nothing: a target of zeros', 0, 1],
  ['no number', Number.NaN, 0.5],
  ['with the rest not 1', 0.6, 0.3],
])('a captured mass of %s ends the capture, with its sample and position', async (_, captured, missing) => {
  await expect(rowsOf(captured, missing)).rejects.toMatchObject({
    code: 'distribution-invalid',
    message: expect.stringContaining('sample "a", position 0: expected a captured mass above 0, up to 1'),
  });
});

it('a captured mass may be more than 1 by rounding', async () => {
  expect(await rowsOf(1.0005, 0)).toHaveLength(1);
});

it('the mass of every position is counted once, at each temperature, between the edges that it lies', () => {
  const oddsOf = (captured: number): number => Math.log((1 - captured) / captured);
  const row = {
    id: 'a',
    ids: Int32Array.of(1, 2, 3, 4),
    topIds: new Int32Array(3),
    gaps: new Float32Array(3),
    missingLogOdds: [
      [0.45, 0.85, 0.9995],
      [0.6, 0.97, 0.97],
    ].map((masses) => Float64Array.from(masses, oddsOf)),
  };
  const mass = addMass(addMass(noMass(2), row), row);
  expect(mass).toMatchObject({ tokens: 8, positions: 6 });
  const [one, two] = describeMass(mass, [1, 2]);
  expect([one?.temperature, two?.temperature]).toEqual([1, 2]);
  expect(one?.mean).toBeCloseTo((0.45 + 0.85 + 0.9995) / 3, 12);
  expect(one?.histogram).toEqual([
    { from: 0, to: 0.5, positions: 2 },
    { from: 0.5, to: 0.8, positions: 0 },
    { from: 0.8, to: 0.9, positions: 2 },
    { from: 0.9, to: 0.95, positions: 0 },
    { from: 0.95, to: 0.99, positions: 0 },
    { from: 0.99, to: 0.999, positions: 0 },
    { from: 0.999, to: 1, positions: 2 },
  ]);
  expect(two?.histogram.filter(({ positions }) => positions > 0)).toEqual([
    { from: 0.5, to: 0.8, positions: 2 },
    { from: 0.95, to: 0.99, positions: 4 },
  ]);
});
