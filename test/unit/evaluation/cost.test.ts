import fc from 'fast-check';
import { compareCost, type ServingCost } from '../../../evaluation/index.js';

const tokens = { inputTokens: 400, outputTokens: 100 };
const hosted: ServingCost = { ...tokens, usdPerMillionInputTokens: 2.5, usdPerMillionOutputTokens: 10 };
const own: ServingCost = { ...tokens, usdPerHour: 0.5, requestsPerHour: 5000 };

describe('the cost of answering', () => {
  it('is by tokens for a hosted teacher, by the hour for an own student, and breaks even after so many requests', () => {
    expect(compareCost({ teacher: hosted, student: own, distillationUsd: 38 })).toEqual({
      teacherUsdPer1000: 2,
      studentUsdPer1000: expect.closeTo(0.1, 12) as number,
      breakEvenRequests: 20_000,
    });
  });

  it.each<[string, ServingCost, ServingCost, number | undefined]>([
    ['the teacher', tokens, own, 38],
    ['half of the teacher', { ...tokens, usdPerMillionInputTokens: 2.5 }, own, 38],
    ['the student', hosted, { ...tokens, usdPerHour: 1 }, 38],
    ['the distillation', hosted, own, undefined],
  ])('without a price of %s is not given, and never 0', (_, teacher, student, distillationUsd) => {
    const report = compareCost({ teacher, student, ...(distillationUsd !== undefined && { distillationUsd }) });
    expect(report.breakEvenRequests).toBe('not given');
    expect(Object.values(report)).not.toContain(0);
  });

  it('of a price that is given as 0 is 0', () => {
    const free = { ...tokens, usdPerMillionInputTokens: 0, usdPerMillionOutputTokens: 0 };
    expect(compareCost({ teacher: hosted, student: free, distillationUsd: 0 })).toMatchObject({
      studentUsdPer1000: 0,
      breakEvenRequests: 0,
    });
  });

  it('never breaks even where a request costs no less, and else is paid back by then and not before', () => {
    expect(compareCost({ teacher: own, student: hosted, distillationUsd: 1 }).breakEvenRequests).toBe('never');
    expect(compareCost({ teacher: own, student: own, distillationUsd: 1 }).breakEvenRequests).toBe('never');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (distillationUsd) => {
        const report = compareCost({ teacher: hosted, student: own, distillationUsd });
        const saved = (requests: number) => (requests * 1.9) / 1000;
        expect(saved(Number(report.breakEvenRequests))).toBeGreaterThanOrEqual(distillationUsd - 1e-6);
        expect(saved(Number(report.breakEvenRequests) - 1)).toBeLessThan(distillationUsd + 1e-6);
      }),
    );
  });
});
