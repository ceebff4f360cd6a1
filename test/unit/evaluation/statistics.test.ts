import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createRandom } from '../../../engine/training/random.js';
import { bootstrapMean } from '../../../evaluation/statistics/bootstrap.js';
import { mcnemar } from '../../../evaluation/statistics/mcnemar.js';
import { normalCdf, normalQuantile, upperTail } from '../../../evaluation/statistics/normal.js';
import { pairedCounts, type PairedCounts } from '../../../evaluation/statistics/paired-counts.js';
import {
  newcombeInterval,
  wilsonInterval,
  zeroEventUpperBound,
  zOfLevel,
} from '../../../evaluation/statistics/proportions.js';
import { itemsNeeded, smallestRegression } from '../../../evaluation/statistics/resolution.js';
import { tangoInterval, tangoNonInferiorityP, tangoZ } from '../../../evaluation/statistics/tango.js';

type Row = Readonly<Record<string, number>>;
/** Written by make_statistics.py beside it, with SciPy and statsmodels. */
const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/statistics/statistics.json'), 'utf8'),
) as Readonly<Record<'normalQuantile' | 'upperTail' | 'mcnemar' | 'wilson', readonly Row[]>> & {
  readonly tango: readonly { items: number; gained: number; lost: number; lambda: number; z: number }[];
  readonly bootstrap: readonly { values: number[]; level: number; lower: number; upper: number }[];
};

const relativeError = (found: number, wanted: number): number =>
  wanted === 0 ? Math.abs(found) : Math.abs(found / wanted - 1);

const counts = fc
  .record({ gained: fc.nat(40), lost: fc.nat(40), agreed: fc.nat(200) })
  .filter(({ gained, lost, agreed }) => gained + lost + agreed > 0)
  .map(({ gained, lost, agreed }) => ({ gained, lost, items: gained + lost + agreed }));
const difference = fc.double({ min: -0.95, max: 0.95, noNaN: true }).map((value) => Number(value.toFixed(4)));

describe('the normal distribution', () => {
  it.each(reference.upperTail)('has the tail of SciPy at $x', ({ x = NaN, upperTail: wanted = NaN }) => {
    expect(relativeError(upperTail(x), wanted)).toBeLessThan(1e-12);
  });

  it.each(reference.normalQuantile)(
    'has the quantile of SciPy at $probability',
    ({ probability = NaN, quantile = NaN }) => {
      expect(relativeError(normalQuantile(probability), quantile)).toBeLessThan(1e-12);
    },
  );

  it('is undone by its quantiles, and has the ends of the line at 0 and 1', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1 - 1e-9, noNaN: true }), (probability) => {
        expect(relativeError(normalCdf(normalQuantile(probability)), probability)).toBeLessThan(1e-11);
      }),
    );
    expect([0, 1, 2, NaN].map(normalQuantile)).toEqual([-Infinity, Infinity, NaN, NaN]);
  });
});

describe('one proportion', () => {
  it('of a difference is that of Newcombe (1998, table II, method 10)', () => {
    const published = [
      [56, 70, 48, 80, 0.0524, 0.3339],
      [9, 10, 3, 10, 0.1705, 0.809],
      [10, 10, 0, 10, 0.6075, 1],
    ] as const;
    for (const [right, items, rightOfOther, itemsOfOther, lower, upper] of published) {
      const found = newcombeInterval({ right, items }, { right: rightOfOther, items: itemsOfOther });
      expect(found.lower).toBeCloseTo(lower, 4);
      expect(found.upper).toBeCloseTo(upper, 4);
    }
  });

  it.each(reference.wilson)('has the interval of statsmodels: $right of $items', (row) => {
    const { right = NaN, items = NaN, level = NaN, lower = NaN, upper = NaN } = row;
    const found = wilsonInterval(right, items, level);
    expect(found.lower).toBeCloseTo(lower, 12);
    expect(found.upper).toBeCloseTo(upper, 12);
  });

  it('that was never seen is bounded by the share that hides with probability 1 − level: about 3/n', () => {
    expect(zeroEventUpperBound(100)).toBeCloseTo(1 - 0.05 ** (1 / 100), 14);
    expect(zeroEventUpperBound(1000) * 1000).toBeCloseTo(3, 1);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (items) => {
        expect((1 - zeroEventUpperBound(items, 0.99)) ** items).toBeCloseTo(0.01, 8);
      }),
    );
  });
});

describe("McNemar's test", () => {
  it.each(reference.mcnemar)('has the p of statsmodels: $gained gained, $lost lost', (row) => {
    const { gained = NaN, lost = NaN, pTwoSided = NaN } = row;
    expect(mcnemar({ items: 200, gained, lost }).pTwoSided).toBeCloseTo(pTwoSided, 12);
  });

  it('takes the other side when the systems change places', () => {
    fc.assert(
      fc.property(counts, ({ items, gained, lost }) => {
        const [one, other] = [mcnemar({ items, gained, lost }), mcnemar({ items, gained: lost, lost: gained })];
        expect(one.pBetter).toBe(other.pWorse);
        expect(one.z).toBe(other.z === 0 ? 0 : -other.z);
      }),
    );
  });
});

describe("Tango's score test", () => {
  it('gives the example: one item lost of 44 is less than a tenth lost', () => {
    const one = { items: 44, gained: 0, lost: 1 };
    expect(tangoZ(one, -0.1)).toBeCloseTo(1.7086, 4);
    expect(tangoNonInferiorityP(one, 0.1)).toBeCloseTo(0.0438, 4);
    const [ninety, ninetyFive] = [tangoInterval(one, 0.9), tangoInterval(one, 0.95)];
    expect([ninety.lower, ninety.upper].map((value) => value.toFixed(4))).toEqual(['-0.0957', '0.0365']);
    expect([ninetyFive.lower, ninetyFive.upper].map((value) => value.toFixed(4))).toEqual(['-0.1181', '0.0594']);
    expect(tangoZ({ items: 200, gained: 12, lost: 25 }, 0)).toBeCloseTo(-2.1372, 4);
  });

  it.each(reference.tango)('finds the most likely table as SciPy does: $items, $gained, $lost, $lambda', (row) => {
    expect(tangoZ(row, row.lambda)).toBeCloseTo(row.z, 6);
  });

  it("is McNemar's z when the margin is zero", () => {
    fc.assert(
      fc.property(counts, (table) => {
        expect(tangoZ(table, 0)).toBeCloseTo(mcnemar(table).z, 9);
      }),
    );
  });

  it('changes its sign when the systems change places, and mirrors its interval', () => {
    fc.assert(
      fc.property(counts, difference, (table, lambda) => {
        const mirrored = { ...table, gained: table.lost, lost: table.gained };
        expect(tangoZ(mirrored, -lambda)).toBeCloseTo(-tangoZ(table, lambda), 6);
        const [interval, other] = [tangoInterval(table), tangoInterval(mirrored)];
        expect(other.lower).toBeCloseTo(-interval.upper, 9);
        expect(other.upper).toBeCloseTo(-interval.lower, 9);
      }),
    );
  });

  it('refuses exactly the differences outside of its interval', () => {
    fc.assert(
      fc.property(counts, difference, (table, lambda) => {
        const { lower, upper } = tangoInterval(table, 0.9);
        fc.pre(Math.min(Math.abs(lambda - lower), Math.abs(lambda - upper)) > 1e-6);
        expect(Math.abs(tangoZ(table, lambda)) <= zOfLevel(0.9)).toBe(lower <= lambda && lambda <= upper);
      }),
    );
  });

  it('holds its level: over all tables of 30 items the 95 % interval misses the truth about one time in twenty', () => {
    const truths = [
      [0.1, 0.1],
      [0.05, 0.15],
      [0.3, 0.2],
      [0.02, 0.02],
      [0.25, 0.05],
    ] as const;
    const within = ([gained, lost]: readonly [number, number]) =>
      probabilityOf(30, gained, lost, (table) => Math.abs(tangoZ(table, gained - lost)) <= zOfLevel(0.95));
    const coverages = truths.map(within);
    expect(Math.min(...coverages)).toBeGreaterThan(0.93);
    expect(Math.max(...coverages.slice(0, 3))).toBeLessThan(0.97);
  });

  it('lets a candidate that is worse by the whole margin pass about one time in twenty', () => {
    const passes = (gained: number, lost: number) =>
      probabilityOf(100, gained, lost, (table) => tangoNonInferiorityP(table, 0.1) <= 0.05);
    for (const share of [passes(0.02, 0.12), passes(0.05, 0.15), passes(0.15, 0.25)]) {
      expect(share).toBeLessThan(0.06);
      expect(share).toBeGreaterThan(0.03);
    }
  });
});

/** The exact probability of what holds for some tables: all tables of so many items are gone through. */
function probabilityOf(
  items: number,
  gainedShare: number,
  lostShare: number,
  holds: (table: PairedCounts) => boolean,
): number {
  const logFactorial = [0];
  for (let n = 1; n <= items; n++) logFactorial[n] = (logFactorial[n - 1] ?? 0) + Math.log(n);
  let sum = 0;
  for (let gained = 0; gained <= items; gained++)
    for (let lost = 0; lost <= items - gained; lost++) {
      if (!holds({ items, gained, lost })) continue;
      const agreed = items - gained - lost;
      const ways = [gained, lost, agreed].reduce((left, n) => left - (logFactorial[n] ?? 0), logFactorial[items] ?? 0);
      sum += Math.exp(ways) * gainedShare ** gained * lostShare ** lost * (1 - gainedShare - lostShare) ** agreed;
    }
  return sum;
}

describe('the paired bootstrap', () => {
  it.each(reference.bootstrap)(
    'has the BCa interval of SciPy on skewed values, but for the luck of the draw',
    (row) => {
      const { interval, mean } = bootstrapMean(row.values, { level: row.level, resamples: 20_000 });
      expect(mean).toBeCloseTo(row.values.reduce((sum, value) => sum + value, 0) / row.values.length, 12);
      // A quantile of 20,000 draws strays by about a hundredth of the interval's width.
      expect(Math.abs(interval.lower - row.lower)).toBeLessThan(0.02);
      expect(Math.abs(interval.upper - row.upper)).toBeLessThan(0.02);
    },
  );

  it('gives the same interval for the same seed, and another for another', () => {
    const values = Array.from({ length: 60 }, (_, index) => Math.sin(index));
    expect(bootstrapMean(values, { seed: 3 })).toEqual(bootstrapMean(values, { seed: 3 }));
    expect(bootstrapMean(values, { seed: 3 }).interval).not.toEqual(bootstrapMean(values, { seed: 4 }).interval);
  });

  it('is a point where nothing varies', () => {
    for (const value of [0, 0.1])
      expect(bootstrapMean([value, value, value], { resamples: 2000 }).interval).toEqual({
        lower: expect.closeTo(value, 12) as number,
        upper: expect.closeTo(value, 12) as number,
        level: 0.95,
      });
  });

  it('holds its level: of candidates that are worse by the whole margin about one in twenty would pass', () => {
    const random = createRandom(1, 'level-of-the-gate');
    // As scores from 0 to 1 differ: mostly not at all, seldom by much, and more often downwards.
    const next = (): number => {
      const draw = random.uniform();
      return draw < 0.7 ? 0 : draw < 0.8 ? random.uniform() : -random.uniform();
    };
    const margin = 0.05;
    const trials = 400;
    let passed = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const differences = Array.from({ length: 100 }, next);
      const { interval } = bootstrapMean(differences, { level: 0.9, resamples: 500, seed: trial });
      passed += Number(interval.lower > -margin);
    }
    // The mean of these differences is -0.05. With so many trials a share of 0.05 strays by 0.011.
    expect(passed / trials).toBeGreaterThan(0.02);
    expect(passed / trials).toBeLessThan(0.085);
  });

  it('mirrors its interval, but for the luck of the draw, when the systems change places', () => {
    const values = Array.from({ length: 200 }, (_, index) => Math.sin(index) ** 3 + 0.1);
    const [one, other] = [values, values.map((value) => -value)].map((each) => bootstrapMean(each).interval);
    expect(one?.lower).toBeCloseTo(-(other?.upper ?? NaN), 2);
  });
});

describe('what a number of items resolves', () => {
  it.each([
    [0.02, 0.1, 1546],
    [0.03, 0.1, 687],
    [0.05, 0.1, 248],
    [0.02, 0.2, 3092],
    [0.03, 0.2, 1374],
    [0.05, 0.2, 495],
  ])('a loss of %d at a discordance of %d takes %i items', (margin, discordance, items) => {
    const design = { alpha: 0.05, power: 0.8, discordance };
    expect(itemsNeeded(margin, design)).toBe(items);
    expect(smallestRegression(items, design)).toBeLessThanOrEqual(margin);
    expect(smallestRegression(items - 1, design)).toBeGreaterThan(margin);
  });
});

it('items on which both are right or both are wrong do not count', () => {
  expect(pairedCounts([1, 1, 0, 0, 1], [1, 0, 1, 0, 0])).toEqual({ items: 5, gained: 2, lost: 1 });
});
