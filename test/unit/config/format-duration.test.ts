import { formatDuration } from '../../../config/format-duration.js';

it('tells a duration in the two greatest units that say something', () => {
  const told = [40, 9949, 9960, 59_400, 59_940, 90_000, 466_000, 3_599_400, 7_500_000, 24 * 3_600_000];
  expect(told.map(formatDuration)).toEqual([
    '0.0 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min 00 s',
    '1 min 30 s',
    '7 min 46 s',
    '59 min 59 s',
    '2 h 05 min',
    '24 h 00 min',
  ]);
});
