/**
 * What one training gains over another when both were done with several seeds and asked the same questions. Seeds and questions
 * are both drawn anew with replacement, independently (the "pigeonhole" bootstrap: Owen, Annals of Applied Statistics 1, 2007),
 * so the interval holds for other seeds and other questions; it is wider than one that takes all answers for independent. Pure.
 */
import { createRandom } from '../../engine/index.js';

export interface SeriesDifference {
  readonly mean: number;
  readonly interval: { readonly lower: number; readonly upper: number; readonly level: number };
  /** Of each seed, in order. */
  readonly perSeed: readonly number[];
}

const resamples = 5000;
const level = 0.95;

/** @param differences [seed][question], candidate less control */
export function differenceOverSeeds(differences: readonly (readonly number[])[]): SeriesDifference {
  const seeds = differences.length;
  const questions = differences[0]?.length ?? 0;
  const perSeed = differences.map(meanOf);
  const random = createRandom(0, 'pigeonhole-bootstrap');
  const means = Array.from({ length: resamples }, () => {
    const weights = new Int32Array(questions);
    for (let draw = 0; draw < questions; draw++) {
      const question = random.integer(questions);
      weights[question] = (weights[question] ?? 0) + 1;
    }
    let sum = 0;
    for (let draw = 0; draw < seeds; draw++) {
      const row = differences[random.integer(seeds)] ?? [];
      for (const [question, weight] of weights.entries()) sum += weight * (row[question] ?? 0);
    }
    return sum / (seeds * questions);
  }).sort((one, other) => one - other);
  const tail = (1 - level) / 2;
  const at = (probability: number): number => means[Math.floor(probability * (resamples - 1))] ?? Number.NaN;
  return { mean: meanOf(perSeed), interval: { lower: at(tail), upper: at(1 - tail), level }, perSeed };
}

export const conclusionOf = ({ interval: { lower, upper } }: SeriesDifference): string =>
  lower > 0 ? 'better' : upper < 0 ? 'worse' : 'no difference shown';

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export const rangeOf = (values: readonly number[]): { readonly least: number; readonly most: number } => ({
  least: Math.min(...values),
  most: Math.max(...values),
});
