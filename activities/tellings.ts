/**
 * When a run is told again of something that comes and goes. Each telling adds some events to its history, which has a limit: a worker
 * that dies and comes back all night, or whose clock is at the edge of what counts as silent, must not fill it. Pure.
 */

/** These are told at once; after that the pause doubles with each, up to the longest. */
const freeTellings = 8;
const firstPauseMs = 10_000;
const longestPauseMs = 600_000;

export class Tellings {
  #count = 0;
  #lastAtMs = -Infinity;

  isDue(nowMs: number): boolean {
    const pauses = this.#count - freeTellings;
    if (pauses < 0) return true;
    return nowMs - this.#lastAtMs >= Math.min(longestPauseMs, firstPauseMs * 2 ** pauses);
  }

  add(nowMs: number): void {
    this.#count += 1;
    this.#lastAtMs = nowMs;
  }
}
