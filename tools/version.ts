/** Dotted release numbers: reading one out of a program's words, and comparing two. Suffixes such as -rc1 are ignored. */

/** The first `1.2.3` that follows `after` in `text`. */
export function readVersion(text: string, after = ''): string | undefined {
  const start = text.indexOf(after);
  return start < 0 ? undefined : /\d+\.\d+(?:\.\d+)?/.exec(text.slice(start + after.length))?.[0];
}

export function isAtLeast(version: string, minimum: string): boolean {
  const [found, wanted] = [version, minimum].map((text) => text.split('.').map(Number));
  for (const [index, number] of (wanted ?? []).entries()) {
    const other = found?.[index] ?? 0;
    if (other !== number) return other > number;
  }
  return true;
}
