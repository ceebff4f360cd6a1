/** The interval of a mean score: of right and wrong Wilson's, of any other kind that of the bootstrap. */
import type { ScoreKind } from '../scorers/scorer.js';
import { bootstrapMean } from './bootstrap.js';
import { wilsonInterval, type Interval } from './proportions.js';

export const meanInterval = (kind: ScoreKind, values: readonly number[]): Interval =>
  kind === 'right-wrong' ? wilsonInterval(rightOf(values), values.length) : bootstrapMean(values).interval;

/** How many of them are right. */
export const rightOf = (values: readonly number[]): number => values.filter((value) => value === 1).length;
