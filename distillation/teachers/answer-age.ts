/**
 * Answers that age. A recorded answer is never replaced: one that is too old is left where it lies, and the question is asked once more
 * under a key that follows from the key of the old answer. Whoever finds the same answer too old comes to the same new key, so that it
 * is bought once for all; without an age the first recorded answer stands.
 */
import { z } from 'zod';
import { canonicalJson, digestOf, hexOf } from '../../storage/index.js';
import type { Ledger, RecordedResponse } from '../responses/index.js';

export interface StandingAnswer {
  /** Under which the question is asked, where no answer stands. */
  readonly key: string;
  readonly response?: RecordedResponse | undefined;
}

/**
 * @param since a day of UTC, `2026-11-27`: answers that were recorded before it count no more; undefined: all do
 * @returns by the keys that were given
 */
export async function standingAnswers(
  ledger: Pick<Ledger, 'find'>,
  keys: Iterable<string>,
  since: string | undefined,
): Promise<Map<string, StandingAnswer>> {
  const standing = new Map<string, StandingAnswer>();
  let open = new Map([...keys].map((key) => [key, key]));
  while (open.size > 0) {
    const recorded = await ledger.find(open.values());
    const next = new Map<string, string>();
    for (const [first, key] of open) {
      const response = recorded.get(key);
      if (response && since !== undefined && isBefore(response, since)) next.set(first, keyAfter(key));
      else standing.set(first, { key, response });
    }
    open = next;
  }
  return standing;
}

const keyAfter = (key: string): string => hexOf(digestOf(canonicalJson({ after: key })));

const observedSchema = z.looseObject({ recordedAt: z.iso.datetime() });

/** An answer without a recorded time counts as too old: nobody can say that it is young enough. */
function isBefore({ observations }: RecordedResponse, day: string): boolean {
  const { data } = observedSchema.safeParse(observations);
  return data === undefined || data.recordedAt.slice(0, day.length) < day;
}
