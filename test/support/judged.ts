/** What a reader makes of a hostile file: something of use, or an error that is ours, short, and names the file. */
import { hasCode } from '../../config/errors.js';
import type { FailureCode } from '../../config/failures.js';

export interface Judgement<Result> {
  /** Paths, one of which every message names. */
  readonly names: readonly string[];
  readonly codes: readonly FailureCode[];
  readonly act: () => Result | Promise<Result>;
  /** Fails when the result is none. */
  readonly check?: (result: Result) => void;
}

const boundMs = 15_000;
const longestReason = 600;

/** `'accepted'` or the code. @throws what else comes out, and where it takes too long */
export async function judged<Result>({
  names,
  codes,
  act,
  check,
}: Judgement<Result>): Promise<'accepted' | FailureCode> {
  const began = performance.now();
  const outcome = await settled(act);
  const tookMs = performance.now() - began;
  if (tookMs > boundMs) throw new Error(`expected an end within ${boundMs} ms, found ${tookMs} ms`);
  if ('result' in outcome) {
    check?.(outcome.result);
    return 'accepted';
  }
  const { error } = outcome;
  if (!hasCode(error) || !codes.includes(error.code)) throw error;
  const name = names.find((known) => error.message.includes(known));
  if (name === undefined) throw new Error(`expected a message that names the file, found: ${error.message}`);
  if (error.message.length > name.length + longestReason)
    throw new Error(`expected a short message, found ${error.message.length} characters`);
  return error.code;
}

async function settled<Result>(
  act: () => Result | Promise<Result>,
): Promise<{ readonly result: Result } | { readonly error: unknown }> {
  try {
    return { result: await act() };
  } catch (error) {
    return { error };
  }
}
