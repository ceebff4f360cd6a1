/**
 * How long to wait before a call is tried again: twice as long each time, up to a minute, half of it by chance, so that requests
 * that failed together do not come back together; and never less than the endpoint asks for.
 */
const firstMs = 500;
const longestMs = 60_000;

/** @param attempt how many have failed, from 1 */
export function backoffMs(attempt: number, askedForMs = 0, random: () => number = Math.random): number {
  const fullMs = Math.min(longestMs, firstMs * 2 ** (attempt - 1));
  return Math.max(askedForMs, fullMs / 2 + (random() * fullMs) / 2);
}
