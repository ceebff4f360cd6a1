import { kernelsAfter, only, withAndWithout } from './on-and-off.js';
import { randomFeed, randomFunction } from './random-function.js';

const seeds = Array.from({ length: 60 }, (_, seed) => seed);

/** The greatest difference, relative to the greatest number or to 1. */
function difference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  const pairs = Array.from(expected, (number, index) => [number, found[index] ?? NaN] as const);
  const scale = Math.max(1, ...pairs.map(([number]) => Math.abs(number)));
  return Math.max(...pairs.map(([number, other]) => Math.abs(number - other))) / scale;
}

test('functions put together at random keep their values and gradients, and lose operations', async () => {
  let [before, after] = [0, 0];
  for (const seed of seeds) {
    const tried = randomFunction(seed);
    const [[without], [withPasses]] = await withAndWithout(tried, [randomFeed(seed)]);
    for (const [name, numbers] of Object.entries(without ?? {}))
      expect(difference(withPasses?.[name] ?? [], numbers)).toBeLessThan(2e-6);
    before += kernelsAfter(tried, only('deadCode')).length;
    after += kernelsAfter(tried).length;
  }
  expect(after).toBeLessThan(0.8 * before);
});
