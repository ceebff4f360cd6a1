/**
 * What the replies of a capture have cost, over all its attempts. Those that became rows are counted in the checkpoint of these rows:
 * no later attempt reads them again. The others every attempt finds recorded, and counts anew.
 */
import type { JsonObject } from '../../storage/index.js';
import type { LogitWriter } from '../logits/index.js';
import { nanoUsd, Spending, spentSchema, usdOf, type NanoUsd, type Spent } from '../responses/index.js';

/** A checkpoint that says nothing of the costs of its rows. */
const unknown: Spent = { nanoUsd: nanoUsd(0), unpriced: 1 };

export class CaptureCosts {
  readonly #ofRows: Spending;
  readonly #ofOthers = new Spending();

  /** @param before what is durable */
  constructor({ rows, account }: Pick<LogitWriter, 'rows' | 'account'>) {
    this.#ofRows = rows === 0 ? new Spending() : new Spending(spentSchema.safeParse(account).data ?? unknown);
  }

  /** Its row is durable, and its cost with it. @param key of the question */
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
