import fc from 'fast-check';
import { createShuffle } from '../../../../engine/data/shuffle.js';

const orderOf = (samples: number, seed: number, epoch: number) =>
  Array.from({ length: samples }, (_, position) => position).map(createShuffle(samples, seed, epoch));

/** Pearson's statistic over its degrees of freedom: about 1 where every cell is as likely. */
function unevenness(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) / (counts.length - 1);
}

describe('the shuffle', () => {
  test('gives every sample once, whatever their number, the seed and the epoch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.maxSafeNat(), fc.nat(2 ** 32 - 1), (samples, seed, epoch) => {
        expect(orderOf(samples, seed, epoch).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: samples }, (_, i) => i),
        );
      }),
      { seed: 6 },
    );
    for (const samples of [255, 256, 257, 4096, 4097]) expect(new Set(orderOf(samples, 1, 1)).size).toBe(samples);
  });

  test('is the same for the same seed and epoch, and another for others', () => {
    expect(orderOf(50, 3, 4)).toEqual(orderOf(50, 3, 4));
    const orders = [orderOf(50, 3, 4), orderOf(50, 3, 5), orderOf(50, 4, 4), orderOf(50, 3 + 2 ** 32, 4)];
    expect(new Set(orders.map(String)).size).toBe(4);
  });

  test('reaches every order of four samples about equally often', () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 2400; epoch++) {
      const order = String(orderOf(4, 11, epoch));
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // 23 degrees of freedom: beyond 2.4 with a probability of 1 to 5,000.
    expect(unevenness([...counts.values()])).toBeLessThan(2.4);
  });

  test.each([7, 40])('puts each of %i samples at each position about equally often', (samples) => {
    const counts = Array.from({ length: samples * samples }, () => 0);
    for (let epoch = 0; epoch < 20 * samples; epoch++)
      for (const [position, sample] of orderOf(samples, 12, epoch).entries()) {
        const cell = position * samples + sample;
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
    expect(unevenness(counts)).toBeLessThan(samples === 7 ? 2 : 1.15);
  });

  test('neighbours of the dataset are no neighbours in the shuffle more often than by chance', () => {
    const order = orderOf(5000, 13, 0);
    const neighbours = order.filter((sample, position) => Math.abs(sample - (order[position + 1] ?? NaN)) === 1);
    // By chance 2 on average; 12 and more with a probability below 1 to 100,000.
    expect(neighbours.length).toBeLessThan(12);
  });

  test('asks for no memory: any position of four thousand million samples at once', () => {
    const shuffle = createShuffle(2 ** 32, 5, 0);
    const samples = [0, 1, 2 ** 31, 2 ** 32 - 1].map(shuffle);
    expect(new Set(samples).size).toBe(4);
    expect(samples.every((sample) => Number.isInteger(sample) && sample >= 0 && sample < 2 ** 32)).toBe(true);
  });

  test('numbers that cannot be meant are refused', () => {
    for (const [samples, seed, epoch] of [
      [0, 1, 1],
      [2 ** 33, 1, 1],
      [9, -1, 1],
      [9, 0.5, 1],
      [9, 1, 2 ** 32],
    ] as const)
      expect(() => createShuffle(samples, seed, epoch)).toThrow(
        expect.objectContaining({ code: 'training-setting-invalid' }),
      );
    expect(() => createShuffle(9, 1, 1)(9)).toThrow(RangeError);
  });
});
