import { drawToken } from '../../../../engine/generation/sampling.js';
import { createRandom } from '../../../../engine/training/random.js';

const random = createRandom(5, 'draws');
const logits = Float32Array.from({ length: 300 }, () => 3 * random.normal());
const order = [...logits.keys()].sort((one, other) => (logits[other] ?? 0) - (logits[one] ?? 0));
const probability = (id: number, temperature = 1): number => {
  const weights = [...logits].map((logit) => Math.exp(logit / temperature));
  return (weights[id] ?? 0) / weights.reduce((sum, weight) => sum + weight, 0);
};

test('of equally probable tokens the lower ids are kept', () => {
  const equal = Float32Array.of(1, 2, 2, 0, 2, 1);
  const kept = (topK: number): Set<number> =>
    new Set(Array.from({ length: 60 }, (_, index) => drawToken(equal, { seed: 0, topK }, index / 60)));
  expect(kept(1)).toEqual(new Set([1]));
  expect(kept(2)).toEqual(new Set([1, 2]));
  expect(kept(4)).toEqual(new Set([0, 1, 2, 4]));
});

test('a draw walks the distribution: each token has the share of numbers that its probability says', () => {
  const draws = 4000;
  const counts = new Map<number, number>();
  for (let index = 0; index < draws; index++) {
    const id = drawToken(logits, { seed: 0, temperature: 0.8 }, (index + 0.5) / draws);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const id of order.slice(0, 20)) expect((counts.get(id) ?? 0) / draws).toBeCloseTo(probability(id, 0.8), 3);
});

test('top-k leaves that many, top-p the fewest that reach it, together in this order', () => {
  const drawn = (sampling: { topK?: number; topP?: number; temperature?: number }): Set<number> =>
    new Set(Array.from({ length: 1500 }, (_, index) => drawToken(logits, { seed: 0, ...sampling }, index / 1500)));
  const temperature = 4;
  expect(drawn({ topK: 7, temperature })).toEqual(new Set(order.slice(0, 7)));
  for (const topP of [0.01, 0.3, 0.6]) {
    let [reached, count] = [0, 0];
    while (reached < topP) reached += probability(order[count++] ?? 0, 2);
    expect(drawn({ topP, temperature: 2 })).toEqual(new Set(order.slice(0, count)));
  }
  const shares = order.slice(0, 10).map((id) => probability(id, temperature));
  const whole = shares.reduce((sum, share) => sum + share, 0);
  let [reached, count] = [0, 0];
  while (reached < 0.5 * whole) reached += shares[count++] ?? 1;
  expect(drawn({ topK: 10, topP: 0.5, temperature })).toEqual(new Set(order.slice(0, count)));
  expect(drawn({ topP: 1e-9 })).toEqual(new Set(order.slice(0, 1)));
});

test('logits that exclude everything else, or are huge, give numbers all the same', () => {
  const alone = new Float32Array(50).fill(-Infinity);
  alone[31] = -1e30;
  for (const sampling of [{}, { topK: 5 }, { topP: 0.9 }])
    for (const number of [0, 0.5, 1 - 2 ** -53]) expect(drawToken(alone, { seed: 0, ...sampling }, number)).toBe(31);
});
