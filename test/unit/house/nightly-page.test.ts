/** What docs/nightly.md says of nights and days is what windows of days do. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { datasetSchema, windowDays } from '../../../config/dataset-schema.js';
import type { Json, JsonObject } from '../../../config/json.js';
import { datePlaceholder, daysBefore, daysOfWindow, fillDate } from '../../../config/scheduled-date.js';

const page = readFileSync(join(import.meta.dirname, '../../../docs/nightly.md'), 'utf8');
const blocks = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = '']) => text);
const datasets = blocks
  .filter((text) => text.includes(datePlaceholder))
  .map((text) => ({ text, dataset: (parse(text) as JsonObject)['dataset'] as Json }));

const night = '2026-11-27';

it('shows datasets of days', () => expect(datasets.length).toBeGreaterThan(0));

it.each(datasets)('a night at 03:00 finds the day before in $text', ({ text, dataset }) => {
  const read = datasetSchema.parse(fillDate(dataset, night));
  const { window = '1d', until = night } = typeof read === 'string' ? {} : read;
  const days = daysOfWindow(windowDays(window), until);
  expect(days).toContain(daysBefore(night, 1));
  // What the comment says.
  for (const day of text.match(/\d{4}-\d{2}-\d{2}/g) ?? []) expect([days[0], days.at(-1)]).toContain(day);
});

/** In how many nights a day is that is over, when nights are due soon after midnight. */
function nightsOf(day: string, window: string): number {
  const following = Array.from({ length: 400 }, (_, index) => daysBefore(day, -1 - index));
  return following.filter((due) => daysOfWindow(windowDays(window), due).includes(day)).length;
}

it('with seven days, five nights in a row may be lost and no row is; with three days, one', () => {
  expect(page).toContain('five in a row');
  expect(nightsOf(night, '7d') - 1).toBe(5);
  expect(page).toContain('three days or more');
  expect(nightsOf(night, '3d') - 1).toBe(1);
});
