/**
 * Money in whole nano-dollars, so that sums are exact: 2^53 of them are nine million dollars. What cannot be said in whole
 * nano-dollars is rounded up: an estimate must never be below what is paid.
 */
import { NightstillError } from '../../config/errors.js';

declare const nanoUsdBrand: unique symbol;
/** A safe integer, at least 0. */
export type NanoUsd = number & { readonly [nanoUsdBrand]: true };

const perUsd = 1_000_000_000;

/** @throws unexpected when it is no amount, or more than can be counted exactly */
export function nanoUsd(count: number): NanoUsd {
  if (isNanoUsd(count)) return count;
  throw new NightstillError('unexpected', `expected a whole number of nano-dollars from 0 to 2^53, found ${count}`);
}

export const isNanoUsd = (count: number): count is NanoUsd => Number.isSafeInteger(count) && count >= 0;

/** `2.5` → 2,500,000,000: the amount that the decimal text of the number says. */
export const fromUsd = (usd: number): NanoUsd => nanoUsd(Math.ceil(Number((usd * perUsd).toPrecision(15))));

export const toUsd = (amount: NanoUsd): number => amount / perUsd;

export const sumOf = (amounts: Iterable<NanoUsd>): NanoUsd => {
  let sum = 0;
  for (const amount of amounts) sum += amount;
  return nanoUsd(sum);
};

/** What tokens cost at a price for a million of them. */
export function costOfTokens(tokens: number, usdPerMillion: number): NanoUsd {
  const cost = BigInt(tokens) * BigInt(fromUsd(usdPerMillion));
  return nanoUsd(Number((cost + 999_999n) / 1_000_000n));
}
