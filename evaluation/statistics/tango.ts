/**
 * Tango's score test for two proportions measured on the same items: non-inferiority when the margin is not zero, McNemar's z
 * when it is. Unlike Wald's interval it holds its level when hardly any item differs, even when none does.
 *
 * Source: Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
 * Statistics in Medicine 17 (1998). Notation as there: b gained, c lost, λ the difference p_candidate − p_other.
 */
import { upperTail } from './normal.js';
import type { PairedCounts } from './paired-counts.js';
import { zOfLevel, type Interval } from './proportions.js';

/** How far the observed difference lies from the difference λ, in standard errors under λ; λ strictly between −1 and 1. */
export function tangoZ({ items: n, gained: b, lost: c }: PairedCounts, lambda: number): number {
  const surplus = b - c - n * lambda;
  if (surplus === 0) return 0;
  // The share of lost items that is most likely if the difference is λ: the larger root of 2n·q² + B·q − c·λ(1−λ) = 0.
  const B = -b - c + (2 * n - b + c) * lambda;
  const C = -c * lambda * (1 - lambda);
  const root = Math.sqrt(Math.max(0, B * B - 8 * n * C));
  // Two forms of one root: the one is taken in which no digits cancel.
  const q = B > 0 ? (-2 * C) / (B + root) : (root - B) / (4 * n);
  return surplus / Math.sqrt(n * (2 * q + lambda * (1 - lambda)));
}

/** The probability of a difference at least as good as this one if the candidate is worse by the whole margin. */
export const tangoNonInferiorityP = (counts: PairedCounts, margin: number): number =>
  upperTail(tangoZ(counts, -margin));

/** The differences that the test does not refuse: Z falls with λ, so each end is one crossing, found by halving. */
export function tangoInterval(counts: PairedCounts, level = 0.95): Interval {
  const z = zOfLevel(level);
  const observed = (counts.gained - counts.lost) / counts.items;
  const lower = observed === -1 ? -1 : crossing(-1, observed, (lambda) => tangoZ(counts, lambda) > z);
  const upper = observed === 1 ? 1 : crossing(observed, 1, (lambda) => tangoZ(counts, lambda) >= -z);
  return { lower, upper, level };
}

/** Where `before` stops to hold between two ends: as often halved as a number of this size has digits. */
function crossing(from: number, to: number, before: (lambda: number) => boolean): number {
  let [left, right] = [from, to];
  for (let halving = 0; halving < 60; halving++) {
    const middle = (left + right) / 2;
    if (before(middle)) left = middle;
    else right = middle;
  }
  return (left + right) / 2;
}
