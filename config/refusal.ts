/**
 * What a stage that acts on a verdict has refused to do stays refused: for the same inputs, options and champion it does not act
 * again, and nobody is asked again. Such a stage says so in its facts, as `refused`; what may be otherwise tomorrow with nothing
 * changed, such as a person who did not answer, is no refusal.
 */
import { z } from 'zod';

const refusal = z.object({
  /** When, in ISO 8601: for people, nothing is decided by it. */
  at: z.string(),
  because: z.string(),
});
export type Refusal = z.output<typeof refusal>;

const factsSchema = z.looseObject({ refused: refusal });

export const refusalOf = (facts: unknown): Refusal | undefined => factsSchema.safeParse(facts).data?.refused;

/** `2026-11-27`, of a time in ISO 8601. */
export const dayOfRefusal = ({ at }: Pick<Refusal, 'at'>): string => at.slice(0, 'YYYY-MM-DD'.length);

/** @param run the one that refused */
export const sayRefusal = (refused: Refusal, run: string): string =>
  `the same candidate, refused on ${dayOfRefusal(refused)} by run ${run}: ${refused.because}`;
