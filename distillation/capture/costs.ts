/**
 * What the replies of a capture have cost, over all its attempts. A reply that became a row is not read again by later attempts: its
 * cost is kept in the checkpoint of its row. Every other reply is found in the record by each attempt, and counted anew.
 */
import type { JsonObject } from '../../storage/index.js';
import type { LogitWriter } from '../logits/index.js';
import { nanoUsd, Spending, spentSchema, usdOf, type NanoUsd, type Spent } from '../responses/index.js';

/** Where a checkpoint does not say what its rows have cost. */
const unknown: Spent = { nanoUsd: nanoUsd(0), unpriced: 1 };

export class CaptureCosts {
  readonly #ofRows: Spending;
  readonly #ofOthers = new Spending();

  /** @param before what is durable */
  constructor({ rows, account }: Pick<LogitWriter, 'rows' | 'account'>) {
    this.#ofRows = rows === 0 ? new Spending() : new Spending(spentSchema.safeParse(account).data ?? unknown);
  }

  /** An earlier attempt has made the row of this reply and counted its cost. @param key of the question */
  passOver(key: string): void {
    this.#ofRows.passOver(key);
  }

  /** @param key of the question: samples of the same tokens share a reply */
  add(key: string, cost: NanoUsd | undefined, hasRow: boolean): void {
    (hasRow ? this.#ofRows : this.#ofOthers).add(key, cost);
  }

  /** Of the rows so far. */
  get account(): JsonObject {
    return { ...this.#ofRows.spent };
  }

  /** Undefined where a price is not known. */
  get usd(): number | undefined {
    return usdOf([this.#ofRows.spent, this.#ofOthers.spent]);
  }
}
