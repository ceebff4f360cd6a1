/** The smallest of the values that at least this share of them do not exceed; undefined where there are none. */
export function quantileOf(values: readonly number[], share: number): number | undefined {
  const ascending = values.toSorted((one, other) => one - other);
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)];
}
