/**
 * A divergence below zero means that teacher and student are not compared as they should be: the targets have no mass, the rows are
 * those of another sample, or the student's probabilities do not sum to 1. A loss curve would not show it, so the training ends.
 */
import { NightstillError } from '../../config/errors.js';
import type { MissingMass, StepEvent } from '../../engine/index.js';

/** Rounding errors do not add up to less than this. */
const least = -1e-3;

/**
 * @param rule absent where the whole distribution of the teacher is known. Under `truncate` alone a divergence may be negative.
 * @throws divergence-negative
 */
export function confirmDivergence({ step, parts }: Pick<StepEvent, 'step' | 'parts'>, rule?: MissingMass): void {
  const { divergence = 0 } = parts;
  if (rule === 'truncate' || !(divergence < least)) return;
  throw new NightstillError(
    'divergence-negative',
    `step ${step}: expected a divergence of at least 0${rule ? ` under ${rule}` : ''}, found ${divergence}`,
  );
}
