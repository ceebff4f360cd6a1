/**
 * A divergence below zero means that teacher and student are not compared as the rule says: targets without mass, rows of another
 * sample, a student whose probabilities do not sum to 1. No loss curve shows it, so the training ends.
 */
import { NightstillError } from '../../config/errors.js';
import type { MissingMass, StepEvent } from '../../engine/index.js';

/** Below this no sum of rounding errors falls. */
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
