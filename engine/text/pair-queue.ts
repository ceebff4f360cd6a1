/**
 * A queue of pairs of tokens: the most frequent first, of equally frequent ones the one with the smaller first token, then the
 * smaller second. Counts change while pairs wait; an entry that is out of date is put back at its present place when its turn comes.
 */

/** Pairs are one number, so that they can be keys: first · 2²¹ + second. */
const base = 2 ** 21;

export const pairOf = (first: number, second: number): number => first * base + second;
export const firstOf = (pair: number): number => Math.floor(pair / base);
export const secondOf = (pair: number): number => pair % base;

/** Tokens are below it. */
export const maximumTokens = base;

export interface PairQueue {
  readonly push: (pair: number, count: number) => void;
  /** The most frequent pair by `currentCount`, or undefined when none is left with a count above 0. */
  readonly pop: (currentCount: (pair: number) => number) => number | undefined;
}

export function createPairQueue(): PairQueue {
  const pairs: number[] = [];
  const counts: number[] = [];
  const before = (a: number, b: number): boolean => {
    const difference = (counts[a] ?? 0) - (counts[b] ?? 0);
    return difference === 0 ? (pairs[a] ?? 0) < (pairs[b] ?? 0) : difference > 0;
  };
  const swap = (a: number, b: number): void => {
    [pairs[a], pairs[b]] = [pairs[b] ?? 0, pairs[a] ?? 0];
    [counts[a], counts[b]] = [counts[b] ?? 0, counts[a] ?? 0];
  };
  const sink = (from: number): void => {
    for (let index = from; ;) {
      const left = 2 * index + 1;
      const child = left + 1 < pairs.length && before(left + 1, left) ? left + 1 : left;
      if (child >= pairs.length || !before(child, index)) return;
      swap(child, index);
      index = child;
    }
  };
  const push = (pair: number, count: number): void => {
    pairs.push(pair);
    counts.push(count);
    for (let index = pairs.length - 1; index > 0;) {
      const parent = (index - 1) >> 1;
      if (!before(index, parent)) return;
      swap(index, parent);
      index = parent;
    }
  };
  const removeFirst = (): void => {
    swap(0, pairs.length - 1);
    pairs.pop();
    counts.pop();
    sink(0);
  };
  const pop = (currentCount: (pair: number) => number): number | undefined => {
    for (;;) {
      const [pair] = pairs;
      if (pair === undefined) return undefined;
      const count = currentCount(pair);
      const wasCurrent = count === counts[0];
      removeFirst();
      if (wasCurrent && count > 0) return pair;
      if (count > 0) push(pair, count);
    }
  };
  return { push, pop };
}
