/** How far results lie from a reference. */

/** The greatest absolute difference over the greatest absolute value of the reference. */
export function relativeDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length || found.length === 0)
    throw new Error(`Expected ${expected.length} values, found ${found.length}.`);
  let difference = 0;
  let magnitude = 0;
  for (let index = 0; index < expected.length; index++) {
    const [one, other] = [found[index] ?? NaN, expected[index] ?? NaN];
    if (!Number.isFinite(one) || !Number.isFinite(other)) return Infinity;
    difference = Math.max(difference, Math.abs(one - other));
    magnitude = Math.max(magnitude, Math.abs(other));
  }
  return difference / magnitude;
}

/** The Euclidean norm. */
export const normOf = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
