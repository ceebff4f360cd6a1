/**
 * Telling damage in the store from damage on the way. What arrives wrong in the same way twice lies wrong in the store; what
 * arrives wrong in another way each time was damaged on the way, and is read again. So a flipped bit on a network never
 * makes a good object look bad.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { NightstillError, hasCode } from '../config/errors.js';

export type Reading<Value> = { readonly value: Value } | WrongReading;

export interface WrongReading {
  /** The same for the same wrong bytes, such as their digest. */
  readonly fingerprint: string;
  /** What is thrown once it is certain. */
  readonly error: NightstillError;
}

const most = 6;
const firstPauseMs = 50;

/**
 * @throws the error of a wrong reading that was seen twice
 * @throws store-unavailable when every reading was wrong in a way of its own
 */
export async function readUntilCertain<Value>(key: string, read: () => Promise<Reading<Value>>): Promise<Value> {
  const seen = new Set<string>();
  for (let attempt = 1; seen.size < most; attempt += 1) {
    const reading = await read().catch(async (error: unknown) => {
      // A connection that broke off within the body: nobody below repeats that.
      if (!hasCode(error, 'store-unavailable') || attempt >= most) throw error;
      await sleep(firstPauseMs * 2 ** attempt * Math.random());
      return undefined;
    });
    if (!reading) continue;
    if ('value' in reading) return reading.value;
    if (seen.has(reading.fingerprint)) throw reading.error;
    seen.add(reading.fingerprint);
  }
  throw new NightstillError('store-unavailable', `${key}: read ${most} times, and damaged in another way each time`, {
    details: { key },
  });
}
