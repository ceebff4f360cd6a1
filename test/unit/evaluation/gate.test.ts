import fc from 'fast-check';
import { gateSchema, type Gate } from '../../../config/gate-schema.js';
import { decideGate, resolveMargins, type GateTables, type ScoreTable } from '../../../evaluation/index.js';
import { comparisonSchema } from '../../../config/verdict.js';
import { sayComparison } from '../../../evaluation/gate/reasons.js';
import { digestOf } from '../../../storage/index.js';

const candidate = digestOf('candidate');
const champion = digestOf('champion');
const items = 500;

/** The first so many items are right; `shift` moves them along, so that systems differ in which. */
const right = (count: number, shift = 0): Record<string, number> =>
  Object.fromEntries(
    Array.from({ length: items }, (_, index) => [`item-${(index + shift) % items}`, index < count ? 1 : 0]),
  );

const rightWrong = (own: Record<string, number>, others: ScoreTable['others']): GateTables => ({
  candidate,
  champion: others.champion ? champion : null,
  scores: { sql: { kind: 'right-wrong', candidate: own, others } },
  observations: {},
});

const gate = (...requirements: readonly object[]): Gate => gateSchema.parse(requirements);
const notWorse = gate({ score: 'sql', notWorseThan: 'champion', margin: 0.05 });

describe('a gate', () => {
  it('passes a candidate that is proven not worse than the champion by the margin', () => {
    const report = decideGate(notWorse, rightWrong(right(350), { champion: right(350, 20) }));
    expect(report).toMatchObject({ verdict: 'pass', comparisons: [{ outcome: 'pass', method: 'tango', items }] });
    expect(report.reasons).toEqual([
      expect.stringMatching(
        /^pass: sql: less than 0\.05 worse than the champion: 0\.7 against 0\.7 on 500 items/,
      ) as string,
    ]);
  });

  it('fails one that is proven worse by more than the margin', () => {
    const report = decideGate(notWorse, rightWrong(right(250), { champion: right(350) }));
    expect(report).toMatchObject({ verdict: 'fail', comparisons: [{ estimate: expect.closeTo(-0.2, 12) as number }] });
  });

  it('is inconclusive about one that may be worse by the margin or may not', () => {
    expect(decideGate(notWorse, rightWrong(right(330), { champion: right(350) })).verdict).toBe('inconclusive');
  });

  it('is unchanged when the candidate is the champion, whatever the tables say', () => {
    const tables = { ...rightWrong(right(1), { champion: right(500) }), champion: candidate };
    expect(decideGate(notWorse, tables)).toEqual({
      verdict: 'unchanged',
      reasons: [`unchanged: the candidate is the champion, ${candidate}`],
      comparisons: [],
    });
  });

  it('is decided by floors where there is no champion', () => {
    const requirements = gate(
      { score: 'sql', notWorseThan: 'champion', margin: 0.05 },
      { score: 'sql', atLeast: 0.6 },
      { score: 'sql', atLeast: 0.8, of: 'teacher' },
      { score: 'sql', betterThan: 'base' },
    );
    const tables = rightWrong(right(350), { teacher: right(400), base: right(20) });
    const report = decideGate(requirements, tables);
    expect(report.comparisons.map(({ outcome }) => outcome)).toEqual(['not-applicable', 'pass', 'pass', 'pass']);
    expect(report.verdict).toBe('pass');
    expect(report.reasons[0]).toBe('not-applicable: sql: there is no champion yet to be compared with');
  });

  it('promotes nothing on requirements that were all not applicable', () => {
    const report = decideGate(notWorse, rightWrong(right(350), {}));
    expect(report.verdict).toBe('inconclusive');
    expect(report.reasons.at(-1)).toBe(
      'inconclusive: no requirement that asks for quality was applicable; give a floor that needs no champion',
    );
  });

  it('promotes nothing on ceilings alone: the first student may be fast and wrong', () => {
    const requirements = gate(
      { score: 'sql', notWorseThan: 'champion', margin: 0.05 },
      { observation: 'latencyP95Ms', atMost: 400 },
      { score: 'sql', atMost: 0.9 },
    );
    const observations = { latencyP95Ms: { value: 12, source: 'result 1' } };
    const report = decideGate(requirements, { ...rightWrong(right(0), {}), observations });
    expect(report.comparisons.map(({ outcome }) => outcome)).toEqual(['not-applicable', 'pass', 'pass']);
    expect(report.verdict).toBe('inconclusive');
  });

  it.each([
    ['a share of nothing says nothing', 0, 0, 'inconclusive'],
    ['exactly the share is enough, whatever the product is in floating point', 360, 400, 'pass'],
    ['one item less is not', 359, 400, 'fail'],
  ])('%s', (_, own, teachers, outcome) => {
    const requirements = gate({ score: 'sql', atLeast: 0.9, of: 'teacher' });
    const report = decideGate(requirements, rightWrong(right(own), { teacher: right(teachers) }));
    expect(report.comparisons).toMatchObject([{ outcome }]);
  });

  it.each([
    [{ score: 'sql', atLeast: 0.71 }, 'fail: sql: 0.7 [0.6584, 0.7385] (95 %) on 500 items, below 0.71'],
    [{ score: 'sql', atLeast: 0.9, of: 'teacher' }, /^fail: sql: 0\.7 .*, below 0\.9 of the teacher's 0\.8$/],
    [{ score: 'sql', atMost: 0.5 }, /^fail: sql: 0\.7 .*, above 0\.5$/],
    [{ score: 'sql', betterThan: 'teacher' }, /^fail: sql: worse than the teacher: 0\.7 against 0\.8/],
    [{ score: 'sql', betterThan: 'control' }, /^inconclusive: sql: perhaps no better than the control/],
    [{ score: 'sql', atLeast: 0.1, minItems: 501 }, 'inconclusive: sql: expected at least 501 items, found 500'],
  ])('says in one line why %j does not hold', (requirement, reason) => {
    const tables = rightWrong(right(350), { teacher: right(400), control: right(349) });
    const report = decideGate(gate({ score: 'sql', atMost: 1 }, requirement), tables);
    expect(report.reasons[1]).toMatch(reason);
    expect(report.verdict).toBe(report.reasons[1]?.split(':')[0]);
  });

  it('compares means by a paired bootstrap', () => {
    const means = (offset: number) =>
      Object.fromEntries(Array.from({ length: items }, (_, index) => [`${index}`, Math.sin(index) + offset]));
    const noisy = Object.fromEntries(
      Object.entries(means(0)).map(([id, value]) => [id, value + Math.sin(7 * value) / 5]),
    );
    const verdictOf = (own: Record<string, number>, ...requirements: readonly object[]) => {
      const scores: ScoreTable = { kind: 'mean', candidate: own, others: { champion: means(0), base: means(-0.5) } };
      return decideGate(gate(...requirements), { candidate, champion, scores: { loss: scores }, observations: {} });
    };
    const requirement = { score: 'loss', notWorseThan: 'champion', margin: 0.05 };
    expect(verdictOf(noisy, requirement, { score: 'loss', betterThan: 'base' })).toMatchObject({
      verdict: 'pass',
      comparisons: [{ method: 'paired-bootstrap' }, { method: 'paired-bootstrap' }],
    });
    expect(verdictOf(means(-0.1), requirement).verdict).toBe('fail');
    expect(verdictOf(means(0), { score: 'loss', betterThan: 'champion' }).verdict).toBe('inconclusive');
  });

  it('names the observation that a ceiling was held against', () => {
    const tables: GateTables = {
      ...rightWrong(right(350), {}),
      observations: { latencyP95Ms: { value: 12.34567, source: 'result 4711 of night-3' } },
    };
    const held = (atMost: number) =>
      decideGate(gate({ observation: 'latencyP95Ms', atMost }, { score: 'sql', atLeast: 0.5 }), tables);
    expect(held(20).verdict).toBe('pass');
    expect(held(20).reasons[0]).toBe('pass: latencyP95Ms: 12.3457, at most 20, as observed by result 4711 of night-3');
    expect(held(12).verdict).toBe('fail');
  });

  it('gives the same bytes for the same tables, in whatever order their items stand', () => {
    const shuffled = fc.shuffledSubarray(Object.keys(right(0)), { minLength: items });
    const before = right(350, 5);
    const scores = (order: readonly string[]): ScoreTable['others'] & object => ({
      champion: Object.fromEntries(order.map((id) => [id, before[id] ?? NaN])),
    });
    const own = right(350);
    const requirements = gate({ score: 'sql', notWorseThan: 'champion', margin: 0.05 }, { score: 'sql', atLeast: 0.5 });
    const expected = JSON.stringify(decideGate(requirements, rightWrong(own, { champion: before })));
    fc.assert(
      fc.property(shuffled, (order) => {
        expect(JSON.stringify(decideGate(requirements, rightWrong(own, scores(order))))).toBe(expected);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a gate refuses', () => {
  const without = (scores: Record<string, number>, id: string) =>
    Object.fromEntries(Object.entries(scores).filter(([each]) => each !== id));

  it.each<[string, GateTables]>([
    ['champion', rightWrong(right(350), { champion: without(right(350), 'item-7') })],
    ['candidate', rightWrong(without(right(350), 'item-7'), { champion: right(350) })],
  ])('an item that has no score of the %s, by its name', (system, tables) => {
    expect(() => decideGate(gate({ score: 'sql', notWorseThan: 'champion', margin: 0.06 }), tables)).toThrow(
      expect.objectContaining({
        code: 'evaluation-invalid',
        message: expect.stringContaining(`item-7 without a score of the ${system}`) as string,
      }),
    );
  });

  it('a score that is not of its kind, and a table of none', () => {
    const requirement = gate({ score: 'sql', atLeast: 0.5 });
    const refused = (own: Record<string, number>, kind: ScoreTable['kind'] = 'right-wrong') =>
      expect(() =>
        decideGate(requirement, { ...rightWrong({}, {}), scores: { sql: { kind, candidate: own, others: {} } } }),
      ).toThrow(expect.objectContaining({ code: 'evaluation-invalid' }));
    refused({ ...right(3), 'item-1': 0.5 });
    refused({ ...right(3), 'item-1': NaN }, 'mean');
    refused({});
  });

  it.each([
    [{ score: 'toString', atLeast: 0.5 }, 'expected one of the scores sql, found "toString"'],
    [{ observation: 'latencyP95Ms', atMost: 1 }, 'expected one of the observations (none), found "latencyP95Ms"'],
    [{ score: 'sql', betterThan: 'base' }, 'sql: expected scores of the base, found none'],
  ])('what the tables do not have: %j', (requirement, message) => {
    expect(() => decideGate(gate(requirement), rightWrong(right(3), {}))).toThrow(
      expect.objectContaining({ code: 'gate-invalid', message }),
    );
  });

  it('a margin that so many items cannot resolve, with or without a champion, and says what they can', () => {
    const fine = gate({ score: 'sql', notWorseThan: 'champion', margin: 0.02 });
    const refusal = expect.objectContaining({
      code: 'gate-margin-too-small',
      message:
        'sql, not worse than champion: expected a margin that 500 items resolve, 0.0498 or more, or 3092 items; found 0.02',
    });
    expect(() => decideGate(fine, rightWrong(right(3), {}))).toThrow(refusal);
    expect(() => resolveMargins(fine, items)).toThrow(refusal);
    const told = gate({ score: 'sql', notWorseThan: 'champion', margin: 0.0498 });
    expect(resolveMargins(told, items)).toMatchObject([{ items, itemsNeeded: 499, margin: 0.0498 }]);
  });

  it.each([
    [],
    [{ score: 'sql' }],
    [{ score: 'sql', atLeast: 0.5, atMost: 0.6 }],
    [{ score: 'sql', notWorseThan: 'yesterday' }],
    [{ score: 'sql', notWorseThan: 'champion', margin: 0 }],
    [{ score: 'sql', betterThan: 'base', alpha: 0.6 }],
  ])('a specification that says nothing or two things: %j', (...requirements) => {
    expect(gateSchema.safeParse(requirements).success).toBe(false);
  });
});

describe('what a gate has decided is told from its numbers', () => {
  const latency = { latencyP95Ms: { value: 12.5, source: 'night-3, stage 0f' } };
  const tables = {
    ...rightWrong(right(350), { champion: right(360, 20), base: right(20), teacher: right(400), control: right(0) }),
    observations: latency,
  };
  const all = gate(
    { score: 'sql', notWorseThan: 'champion', margin: 0.05 },
    { score: 'sql', betterThan: 'base' },
    { score: 'sql', atLeast: 0.9 },
    { score: 'sql', atLeast: 0.8, of: 'teacher' },
    { score: 'sql', atLeast: 0.8, of: 'control' },
    { score: 'sql', atMost: 0.9 },
    { score: 'sql', atLeast: 0.5, minItems: 501 },
    { observation: 'latencyP95Ms', atMost: 20 },
  );
  const told = [
    ...decideGate(all, tables).comparisons,
    ...decideGate(notWorse, rightWrong(right(350), {})).comparisons,
  ];

  it('in English as it is recorded, and in Japanese with the same numbers', () => {
    for (const comparison of told) {
      // As a reader finds it in the store.
      const read = comparisonSchema.parse(JSON.parse(JSON.stringify(comparison)));
      expect(sayComparison(read)).toBe(`${comparison.outcome}: ${comparison.reason}`);
      const numbersOf = (text: string): string[] => (text.match(/-?\d+(\.\d+)?/g) ?? []).sort();
      const japanese = sayComparison(read, 'ja');
      expect(numbersOf(japanese)).toEqual(numbersOf(sayComparison(read)));
      expect(japanese).toMatch(/^(合格|不合格|判定不能|対象外): /);
      expect(japanese).not.toMatch(/undefined|NaN|worse|better|items|against/);
    }
  });

  it('in sentences of their own', () => {
    expect(sayComparison(told[3]!, 'ja')).toMatch(
      /^合格: sql: 0\.7 \[.*\] \(95 %\)、500 問、教師の 0\.8 の 0\.8 倍以上$/,
    );
    // One against 349 of 500.
    expect(told[1]?.p).toBeLessThan(1e-10);
    expect(sayComparison(told[1]!)).toMatch(/, mcnemar-[a-z-]+, p < 0\.0001$/);
    expect(sayComparison(told[1]!, 'ja')).toMatch(/、mcnemar-[a-z-]+、p < 0\.0001$/);
    expect(sayComparison({ ...told[1]!, p: 0 })).toMatch(/, p < 0\.0001$/);
    expect(sayComparison({ ...told[1]!, p: 0.00012 })).toMatch(/, p = 0\.0001$/);
    expect(sayComparison(told.at(-1)!, 'ja')).toBe('対象外: sql: 比較する現行モデル (champion) がまだありません');
  });
});
