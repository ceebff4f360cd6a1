import { createRandom, philox4x32, restoreRandom } from '../../../../engine/training/random.js';

const draw = (count: number, next: () => number) => Array.from({ length: count }, next);

describe('random numbers', () => {
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('the generator gives the published known answers %#', (counter, key, answer) => {
    expect(philox4x32(counter, key)).toEqual(answer);
  });

  test('the same seed and stream give the same numbers; another seed or another stream gives others', () => {
    const numbers = (seed: number, stream: string) => draw(32, createRandom(seed, stream).uint32);
    expect(numbers(7, 'shuffle')).toEqual(numbers(7, 'shuffle'));
    const all = [numbers(7, 'shuffle'), numbers(8, 'shuffle'), numbers(7 + 2 ** 32, 'shuffle'), numbers(7, 'sampling')];
    expect(new Set(all.flat()).size).toBe(4 * 32);
  });

  test('a generator restored from its state, as JSON, at any position goes on with the next number', () => {
    for (let position = 0; position < 9; position++) {
      const random = createRandom(2 ** 53 - 1, 'rows');
      draw(position, random.uint32);
      const restored = restoreRandom(JSON.parse(JSON.stringify(random.state())));
      expect(draw(10, restored.uint32)).toEqual(draw(10, random.uint32));
    }
  });

  test('a stream goes on beyond 2^34 numbers without repeating its beginning', () => {
    const far = restoreRandom({ seed: 1, stream: 'far', position: 4 * 2 ** 32 });
    expect(draw(8, far.uint32)).not.toEqual(draw(8, createRandom(1, 'far').uint32));
  });

  test('uniform numbers fill [0, 1) evenly and normal numbers have mean 0, variance 1 and the right tails', () => {
    const random = createRandom(3, 'moments');
    const uniforms = draw(40_000, random.uniform);
    expect(Math.min(...uniforms)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniforms)).toBeLessThan(1);
    for (let tenth = 0; tenth < 10; tenth++)
      expect(uniforms.filter((x) => Math.floor(x * 10) === tenth).length / 40_000).toBeCloseTo(0.1, 2);
    const normals = draw(40_000, random.normal);
    const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
    expect(Math.abs(mean(normals))).toBeLessThan(0.02);
    expect(Math.abs(mean(normals.map((x) => x * x)) - 1)).toBeLessThan(0.03);
    expect(Math.abs(mean(normals.map((x) => (Math.abs(x) > 1.96 ? 1 : 0))) - 0.05)).toBeLessThan(0.005);
  });

  test('integers stay below their limit and are equally likely', () => {
    const random = createRandom(11, 'integers');
    const counts = [0, 0, 0, 0, 0, 0, 0];
    for (const value of draw(70_000, () => random.integer(7))) counts[value]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(random.integer(1)).toBe(0);
    expect(random.integer(2 ** 32)).toBeGreaterThanOrEqual(0);
  });

  test('a permutation holds every index once, and all orders of three are equally likely', () => {
    const random = createRandom(5, 'shuffle');
    expect([...random.permutation(1000)].toSorted((a, b) => a - b)).toEqual([...Array(1000).keys()]);
    expect([...random.permutation(0)]).toEqual([]);
    const orders = new Map<string, number>();
    for (let trial = 0; trial < 12_000; trial++) {
      const order = random.permutation(3).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    for (const count of orders.values()) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  test.each([-1, 1.5, 2 ** 53, NaN])('seed %d is refused (training-setting-invalid)', (seed) => {
    expect(() => createRandom(seed, 'shuffle')).toThrow(expect.objectContaining({ code: 'training-setting-invalid' }));
  });
});
