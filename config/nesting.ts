/** How deep a plan may be nested: it is walked by recursion, so what is deeper is refused first. Pure: workflows may import it. */

/** Deeper than any sensible plan. */
export const deepestLevel = 50;

/** Level by level, so that it ends on any data. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepestLevel) return true;
    level = level.flatMap((each): unknown[] => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return false;
}
