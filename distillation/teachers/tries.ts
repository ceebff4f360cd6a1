/** When is a call that fails no longer worth trying? Each way to fail has its own count, so that waiting out one leaves the others theirs. */
import type { FailedCall } from './failed-call.js';

/** An endpoint that is away works for nobody: asking it for longer costs nothing but time. */
const patienceWithTheAway = 2;

export class Tries {
  #away = 0;
  #own = 0;
  /** Of the request's own failures, by how often that kind is worth trying: silence, nonsense, anything else. */
  readonly #byTries = new Map<number, number>();

  /** @param attempts what the plan says of failures that may pass */
  constructor(private readonly attempts: number) {}

  /** Counts one more. @returns whether it was the last */
  spent({ isAway, tries }: FailedCall): boolean {
    if (isAway) return (this.#away += 1) >= Math.min(tries, patienceWithTheAway * this.attempts);
    const alike = (this.#byTries.get(tries) ?? 0) + 1;
    this.#byTries.set(tries, alike);
    return alike >= tries || (this.#own += 1) >= this.attempts;
  }
}
