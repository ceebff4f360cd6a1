/**
 * McNemar's test: is the candidate right more often than the other on the same items? Under the null hypothesis each item on
 * which they differ is a fair coin. Exact binomial while few differ, the normal approximation beyond.
 */
import { upperTail } from './normal.js';
import type { PairedCounts } from './paired-counts.js';

/** With fewer differing items than this the normal approximation is not trusted. */
const exactBelow = 25;

export interface McNemarResult {
  readonly method: 'exact' | 'normal';
  /** (gained − lost)/√(gained + lost); 0 when nothing differs. */
  readonly z: number;
  /** Of "the candidate is no better". */
  readonly pBetter: number;
  /** Of "the candidate is no worse". */
  readonly pWorse: number;
  readonly pTwoSided: number;
}

export function mcnemar({ gained, lost }: PairedCounts): McNemarResult {
  const differing = gained + lost;
  const z = differing === 0 ? 0 : (gained - lost) / Math.sqrt(differing);
  const exact = differing < exactBelow;
  const pBetter = exact ? coinTail(gained, differing) : upperTail(z);
  const pWorse = exact ? coinTail(lost, differing) : upperTail(-z);
  return {
    method: exact ? 'exact' : 'normal',
    z,
    pBetter,
    pWorse,
    pTwoSided: Math.min(1, 2 * Math.min(pBetter, pWorse)),
  };
}

/** P(at least `heads` heads in `tosses` tosses of a fair coin); exact for fewer than 50 tosses. */
function coinTail(heads: number, tosses: number): number {
  let ways = 1;
  let tail = 0;
  for (let count = 0; count <= tosses; count++) {
    if (count >= heads) tail += ways;
    ways = (ways * (tosses - count)) / (count + 1);
  }
  return tail / 2 ** tosses;
}
