import { dateIn, fillDate, needsDate } from '../../../config/scheduled-date.js';

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
});
