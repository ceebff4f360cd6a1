/**
 * What replies have cost: each once, however many rows it serves, in whatever attempt it was heard, and whoever has bought it. One whose
 * price nobody knows leaves the sum unknown: it is never taken for nothing.
 */
import { z } from 'zod';
import { nanoUsd, sumOf, toUsd, type NanoUsd } from './money.js';
import { nanoUsdSchema } from './response.js';
import type { RequestKey } from './request-key.js';

/** As a checkpoint keeps it. */
export const spentSchema = z.object({
  nanoUsd: nanoUsdSchema,
  /** Replies of which nobody knows what they cost. */
  unpriced: z.int().nonnegative(),
});
export type Spent = z.output<typeof spentSchema>;

export class Spending {
  readonly #counted = new Set<RequestKey>();
  #spent: Spent;

  /** @param before what earlier attempts have counted; `passOver` says which replies that are */
  constructor(before: Spent = { nanoUsd: nanoUsd(0), unpriced: 0 }) {
    this.#spent = before;
  }

  /** @param cost undefined where no prices were given when it was bought */
  add(key: RequestKey, cost: NanoUsd | undefined): void {
    if (this.#counted.has(key)) return;
    this.passOver(key);
    const { nanoUsd: money, unpriced } = this.#spent;
    this.#spent =
      cost === undefined ? { nanoUsd: money, unpriced: unpriced + 1 } : { nanoUsd: sumOf([money, cost]), unpriced };
  }

  /** That reply is in the sum already. */
  passOver(key: RequestKey): void {
    this.#counted.add(key);
  }

  get spent(): Spent {
    return this.#spent;
  }
}

/** Undefined where it is not known. */
export const usdOf = (all: readonly Spent[]): number | undefined =>
  all.some(({ unpriced }) => unpriced > 0) ? undefined : toUsd(sumOf(all.map(({ nanoUsd: money }) => money)));
