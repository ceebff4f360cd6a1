/**
 * Right and wrong answers of two systems on the same items. Items on which both agree cancel: what remains is how often one
 * was right where the other was wrong.
 */
export interface PairedCounts {
  readonly items: number;
  /** Candidate right, other wrong: `b` of the literature. */
  readonly gained: number;
  /** Candidate wrong, other right: `c` of the literature. */
  readonly lost: number;
}

/** Scores of the same items in the same order, 1 right and 0 wrong. */
export function pairedCounts(candidate: readonly number[], other: readonly number[]): PairedCounts {
  let gained = 0;
  let lost = 0;
  candidate.forEach((score, index) => {
    const against = other[index] ?? 0;
    if (score > against) gained++;
    if (score < against) lost++;
  });
  return { items: candidate.length, gained, lost };
}
