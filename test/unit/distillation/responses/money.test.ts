/** Sums of money are exact, and no grant passes a cap. */
import fc from 'fast-check';
import { blockOf } from '../../../../distillation/responses/budget.js';
import {
  budgetOfPeriod,
  budgetOfRun,
  costOfTokens,
  fromUsd,
  nanoUsd,
  requestKey,
  sumOf,
  toUsd,
} from '../../../../distillation/responses/index.js';

const amounts = fc.integer({ min: 0, max: 10 ** 12 }).map(nanoUsd);

describe('money', () => {
  it('is what its decimal text says, to the nano-dollar', () => {
    expect([0.1, 0.07, 1.1, 2.5, 1e-9, 1e-10].map(fromUsd)).toEqual([1e8, 7e7, 11e8, 25e8, 1, 1]);
    fc.assert(fc.property(amounts, (amount) => fromUsd(toUsd(amount)) === amount));
  });

  it('of tokens is rounded up, and never below what the price says', () => {
    expect(costOfTokens(1000, 0.15)).toBe(150_000);
    expect(costOfTokens(1, 0.0375)).toBe(38);
    expect(costOfTokens(0, 5)).toBe(0);
  });

  it('is refused where it cannot be counted exactly', () => {
    for (const count of [-1, 0.5, 2 ** 53, NaN]) expect(() => nanoUsd(count)).toThrow('nano-dollars');
  });
});

it('blocks granted one after another never pass the cap, hold what is needed, and refuse only what does not fit', () => {
  fc.assert(
    fc.property(amounts, fc.array(amounts, { maxLength: 40 }), (cap, needs) => {
      let taken = nanoUsd(0);
      for (const needed of needs) {
        const block = blockOf(cap, taken, needed);
        if (block < needed ? cap - taken >= needed || block !== 0 : cap - taken < block) return false;
        taken = sumOf([taken, block]);
      }
      return taken <= cap;
    }),
  );
});

it('a period begins at midnight of its time zone', () => {
  const timeZone = 'Asia/Tokyo';
  const before = Date.parse('2026-11-30T14:59:59Z');
  const budget = (every: 'day' | 'month', atMs: number): string =>
    budgetOfPeriod({ name: 'team', every, timeZone, spendAtMostUsd: 1 }, atMs);
  const around = (every: 'day' | 'month'): string[] => [before, before + 1000].map((atMs) => budget(every, atMs));
  expect(around('month')).toEqual(['period/team/2026-11', 'period/team/2026-12']);
  expect(around('day')).toEqual(['period/team/2026-11-30', 'period/team/2026-12-01']);
  expect(budgetOfRun('night')).toBe('run/night');
});

it('the key of a question covers who is asked, what is sent and the sample, and no credentials', () => {
  const request = {
    endpoint: 'https://a.example/v1',
    model: 'm',
    revision: '1',
    body: { n: 1, model: 'm' },
    sample: 0,
  };
  const key = requestKey(request);
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(requestKey({ ...request, endpoint: 'https://user:secret@a.example/v1/?key=1' })).toBe(key);
  expect(requestKey({ ...request, body: { model: 'm', n: 1 } })).toBe(key);
  const others = [{ endpoint: 'https://b.example/v1' }, { revision: '2' }, { body: { n: 2 } }, { sample: 1 }];
  expect(new Set(others.map((other) => requestKey({ ...request, ...other })).concat(key)).size).toBe(5);
});
