/**
 * The standard normal distribution, without tables: the series of Φ near zero, the continued fraction of its tail beyond.
 * Relative error below 1e-12 for tails down to 1e-300, quantiles included (checked against SciPy).
 */

/** Here the two expansions meet: both have converged within a hundred terms. */
const seriesUpTo = 3;
const terms = 200;

const normalDensity = (x: number): number => Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI);

/** P(X ≤ x). */
export const normalCdf = (x: number): number => upperTail(-x);

/** P(X > x), exact in the tail where 1 − Φ(x) would round to nothing. */
export function upperTail(x: number): number {
  if (x < -seriesUpTo) return 1 - tailByFraction(-x);
  return x > seriesUpTo ? tailByFraction(x) : 0.5 - centreBySeries(x);
}

/** Φ(x) − ½ = φ(x)·(x + x³/3 + x⁵/(3·5) + …): terms of one sign, so nothing cancels. Marsaglia, JSS 11 (2004). */
function centreBySeries(x: number): number {
  let term = x;
  let sum = x;
  for (let odd = 3; odd < 2 * terms; odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return sum * normalDensity(x);
}

/** 1 − Φ(x) = φ(x)/(x + 1/(x + 2/(x + 3/…))) for x > 0, from the inside out. Abramowitz and Stegun 26.2.14. */
function tailByFraction(x: number): number {
  let denominator = x;
  for (let term = terms; term >= 1; term--) denominator = x + term / denominator;
  return normalDensity(x) / denominator;
}

/**
 * The x with P(X ≤ x) = probability: a rational start (Abramowitz and Stegun 26.2.23, error < 4.5e-4), then four steps of
 * Newton's method on the logarithm of the tail, each of which about doubles the digits.
 * @param probability strictly between 0 and 1
 */
export function normalQuantile(probability: number): number {
  if (!(probability > 0 && probability < 1)) return probability === 0 ? -Infinity : probability === 1 ? Infinity : NaN;
  if (probability === 0.5) return 0;
  if (probability > 0.5) return -normalQuantile(1 - probability);
  const t = Math.sqrt(-2 * Math.log(probability));
  let x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 4; step++) {
    const tail = upperTail(x);
    x += (Math.log(tail / probability) * tail) / normalDensity(x);
  }
  return -x;
}
