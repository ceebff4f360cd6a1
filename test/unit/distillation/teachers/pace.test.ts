import { backoffMs } from '../../../../distillation/teachers/backoff.js';
import { retryAfterMs } from '../../../../distillation/teachers/failed-call.js';
import { Pace } from '../../../../distillation/teachers/pace.js';

/** Starts of requests, in milliseconds, when each takes its turn as soon as it comes. */
function startsOf(limits: ConstructorParameters<typeof Pace>[0], costs: readonly number[], unused = 0): number[] {
  let now = 0;
  const pace = new Pace(limits, { now: () => now });
  return costs.map((cost) => {
    now += pace.take(cost);
    pace.giveBackTokens(unused);
    return now;
  });
}

const costs = Array.from({ length: 200 }, (_, index) => 100 + (index % 7) * 50);

describe('the pace of a teacher', () => {
  it('lets no minute see more requests than the limit', () => {
    const starts = startsOf({ requestsPerMinute: 30 }, costs);
    for (const from of starts)
      expect(starts.filter((at) => at >= from && at < from + 60_000)).toHaveLength(
        Math.min(30, starts.filter((at) => at >= from).length),
      );
  });

  it('lets no minute see more tokens than the limit and one request', () => {
    const starts = startsOf({ tokensPerMinute: 3000 }, costs);
    for (const from of starts) {
      const tokens = costs.filter((_, index) => (starts[index] ?? 0) >= from && (starts[index] ?? 0) < from + 60_000);
      expect(tokens.reduce((sum, cost) => sum + cost, 0)).toBeLessThanOrEqual(3000 + Math.max(...costs));
    }
    expect(starts.at(-1)).toBeGreaterThan(60_000);
  });

  it('gives back what a request did not need', () => {
    const equal = costs.map(() => 100);
    const [whole, half] = [startsOf({ tokensPerMinute: 3000 }, equal), startsOf({ tokensPerMinute: 3000 }, equal, 50)];
    expect(half.at(-1)).toBeCloseTo((whole.at(-1) ?? 0) / 2);
  });

  it('holds nobody back without limits', () => {
    expect(new Set(startsOf({}, costs))).toEqual(new Set([0]));
  });

  it('is closed for everybody when the endpoint asks for it, for the longest that it asks', () => {
    let now = 0;
    const pace = new Pace({}, { now: () => now });
    pace.close(5000);
    pace.close(1000);
    expect(pace.closedForMs).toBe(5000);
    now = 5001;
    expect(pace.closedForMs).toBe(0);
  });
});

describe('the wait before another attempt', () => {
  it('doubles up to a minute, half of it by chance', () => {
    const [least, most] = [() => 0, () => 1];
    expect([1, 2, 3, 20].map((attempt) => backoffMs(attempt, 0, least))).toEqual([250, 500, 1000, 30_000]);
    expect([1, 2, 3, 20].map((attempt) => backoffMs(attempt, 0, most))).toEqual([500, 1000, 2000, 60_000]);
  });

  it('is never shorter than the endpoint asks for', () => {
    expect(backoffMs(1, 7000, () => 0)).toBe(7000);
  });

  it.each([
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': 'Fri, 27 Nov 2026 00:00:09 GMT' }, 9000],
    [{ 'retry-after-ms': '250', 'retry-after': '3' }, 250],
    [{ 'retry-after': '86400' }, 600_000],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('is read from %j', (headers, expected) => {
    const now = Date.parse('Fri, 27 Nov 2026 00:00:00 GMT');
    expect(retryAfterMs(new Headers(headers), now)).toBe(expected);
  });
});
