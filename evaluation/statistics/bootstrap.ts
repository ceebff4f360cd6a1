/**
 * A paired bootstrap for the mean of differences: items are drawn with replacement, both systems' scores together, so that what
 * makes an item hard for both cancels. The interval is BCa: corrected for bias and for the skew of the differences. Draws come
 * from the seed alone: the same differences in the same order give the same interval, bit for bit.
 *
 * Source: Efron, "Better bootstrap confidence intervals", JASA 82 (1987); the acceleration is the jackknife's.
 */
import { createRandom } from '../../engine/training/random.js';
import { normalCdf, normalQuantile } from './normal.js';
import type { Interval } from './proportions.js';

export interface BootstrapOptions {
  readonly level?: number;
  /** How often the items are drawn anew; at least 2,000. */
  readonly resamples?: number;
  readonly seed?: number;
}

export interface BootstrapResult {
  readonly mean: number;
  readonly interval: Interval;
  readonly resamples: number;
  readonly seed: number;
}

export function bootstrapMean(
  differences: readonly number[],
  { level = 0.95, resamples = 5000, seed = 0 }: BootstrapOptions = {},
): BootstrapResult {
  const mean = meanOf(differences);
  const drawn = resampledMeans(differences, resamples, seed);
  const tail = (1 - level) / 2;
  const shift = correction(differences, mean, drawn);
  const interval = { lower: quantile(drawn, shift(tail)), upper: quantile(drawn, shift(1 - tail)), level };
  return { mean, interval, resamples, seed };
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** In ascending order. */
function resampledMeans(values: readonly number[], resamples: number, seed: number): Float64Array {
  const random = createRandom(seed, 'paired-bootstrap');
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample++) {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw++) sum += values[random.integer(values.length)] ?? 0;
    means[resample] = sum / values.length;
  }
  return means.sort();
}

/** From a probability to the one whose quantile bounds the mean: BCa; the identity where all differences are equal. */
function correction(values: readonly number[], mean: number, drawn: Float64Array): (probability: number) => number {
  const below = drawn.reduce((count, value) => count + (value < mean ? 1 : value === mean ? 0.5 : 0), 0) / drawn.length;
  if (below === 0 || below === 1) return (probability) => probability;
  const bias = normalQuantile(below);
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    squares += (value - mean) ** 2;
    cubes += (value - mean) ** 3;
  }
  const acceleration = squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
  return (probability) => {
    const z = bias + normalQuantile(probability);
    return normalCdf(bias + z / (1 - acceleration * z));
  };
}

/** Between the two nearest of the sorted values. */
function quantile(sorted: Float64Array, probability: number): number {
  const place = probability * (sorted.length - 1);
  const index = Math.floor(place);
  const [low = NaN, high = low] = sorted.subarray(index, index + 2);
  return low + (high - low) * (place - index);
}
