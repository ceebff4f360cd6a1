/** Words that somebody may have meant. Pure. */

/** ` (nearest: store)` or nothing: which of the known words somebody may have meant. */
export function nearest(word: string, known: readonly string[]): string {
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(2, candidate.length / 3) && distance < candidate.length)
    .sort((a, b) => a.distance - b.distance)[0];
  return near ? ` (nearest: ${near.candidate})` : '';
}

/** Insertions, deletions and substitutions (Wagner and Fischer 1974). */
function editDistance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > longestWord || one.length > longestWord) return Infinity;
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let index = 0; index < one.length; index += 1) {
    const next = [index + 1];
    for (let at = 0; at < other.length; at += 1)
      next.push(
        Math.min((next[at] ?? 0) + 1, (row[at + 1] ?? 0) + 1, (row[at] ?? 0) + (one[index] === other[at] ? 0 : 1)),
      );
    row = next;
  }
  return row.at(-1) ?? Infinity;
}

const longestWord = 64;
