import { dateIn, daysOfWindow, fillDate, needsDate, planOfNamedDay } from '../../../config/scheduled-date.js';

describe('the date of a night', () => {
  it('is the day of the time zone of its schedule', () => {
    const at = new Date('2026-11-26T23:30:00Z');
    expect(['UTC', 'Europe/Berlin', 'America/New_York'].map((zone) => dateIn(zone, at))).toEqual([
      '2026-11-26',
      '2026-11-27',
      '2026-11-26',
    ]);
  });

  it('stands in every text of the plan that names it, and changes nothing else', () => {
    const file = {
      dataset: 's3://b/{{scheduledDate}}/{{scheduledDate}}.jsonl',
      stages: [{ with: { a: '{{scheduledDate}}', n: 1 } }],
    };
    expect(needsDate(file)).toBe(true);
    const filled = fillDate(file, '2026-11-27');
    expect(filled).toEqual({
      dataset: 's3://b/2026-11-27/2026-11-27.jsonl',
      stages: [{ with: { a: '2026-11-27', n: 1 } }],
    });
    expect(needsDate(filled)).toBe(false);
    expect(needsDate(undefined)).toBe(false);
  });

  it('is the last day of a window that gives none, and its places keep the text that stands for each day', () => {
    const dataset = { from: 's3://b/{{scheduledDate}}/', window: '7d' };
    const file = { dataset, evaluation: { ...dataset, until: '2026-11-01' }, teacher: '{{scheduledDate}}' };
    expect([needsDate({ dataset }), needsDate({ evaluation: file.evaluation })]).toEqual([true, false]);
    const filled = fillDate(file, '2026-11-27');
    expect(filled).toEqual({
      dataset: { ...dataset, until: '2026-11-27' },
      evaluation: file.evaluation,
      teacher: '2026-11-27',
    });
    expect(needsDate(filled)).toBe(false);
  });

  it('counts the days of a window back over the ends of months and years', () => {
    expect(daysOfWindow(4, '2028-03-02')).toEqual(['2028-02-28', '2028-02-29', '2028-03-01', '2028-03-02']);
    expect(daysOfWindow(2, '2026-01-01')).toEqual(['2025-12-31', '2026-01-01']);
  });
});

it('a day that somebody names fills a plan which waits for one, and is refused for any other, and where it is none', () => {
  const file = { teacher: 'data/{{scheduledDate}}' };
  expect(planOfNamedDay(file, '2026-11-27', '--date')).toEqual({ teacher: 'data/2026-11-27' });
  const refused = { code: 'plan-invalid', fault: 'user', message: expect.stringMatching(/^--date: expected a /) };
  for (const [plan, day] of [
    [file, '2026-11-31'],
    [{ teacher: 'data' }, '2026-11-27'],
  ] as const)
    expect(() => planOfNamedDay(plan, day, '--date')).toThrow(expect.objectContaining(refused));
});
