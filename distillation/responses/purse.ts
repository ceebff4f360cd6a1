/**
 * The money of one process: blocks that it has reserved, in every budget that binds it, and what it has promised of them to
 * calls. Callers are served in the order in which they ask; the first waits for calls under way to give money back before it
 * hears that there is none.
 */
import type { ObjectStore } from '../../storage/index.js';
import { refuseSpending, reserve, settle, settleEnded } from './budget.js';
import type { Holder } from './ledger.js';
import { nanoUsd, type NanoUsd } from './money.js';
import type { Cap } from './periods.js';
import type { SessionName } from './session.js';

export interface PurseRequest {
  readonly session: SessionName;
  readonly caps: readonly Cap[];
  readonly isOver: (holder: Holder) => Promise<boolean>;
}

export class Purse {
  readonly #store: ObjectStore;
  readonly #request: PurseRequest;
  readonly #reserved = new Map<string, NanoUsd>();
  #promised = 0;
  #callsUnderWay = 0;
  #queue: Promise<unknown> = Promise.resolve();
  /** How often money was given back, and who waits for it. */
  #returns = 0;
  #whenGivenBack: (() => void) | undefined;

  constructor(store: ObjectStore, request: PurseRequest) {
    this.#store = store;
    this.#request = request;
  }

  /** Promises money to a call. @throws budget-exhausted, fence-lost */
  take(amount: NanoUsd): Promise<void> {
    const turn = this.#queue.then(() => this.#take(amount));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** The call has ended: of what it was promised it has spent so much. */
  giveBack(promised: NanoUsd, spent: NanoUsd): void {
    this.#promised += spent - promised;
    this.#callsUnderWay -= 1;
    this.#wake();
  }

  /** Frees what was not spent; nothing can be taken any more. */
  async settle(spent: NanoUsd): Promise<void> {
    for (const { budget } of this.#request.caps) await settle(this.#store, budget, this.#request.session.key, spent);
    this.#wake();
  }

  #wake(): void {
    this.#returns += 1;
    this.#whenGivenBack?.();
  }

  async #take(amount: NanoUsd): Promise<void> {
    for (let isFirst = true; ; isFirst = false) {
      const returns = this.#returns;
      const short = await this.#reserveFor(amount);
      if (!short) break;
      if (isFirst) await settleEnded(this.#store, short.budget, this.#request.isOver);
      else if (returns !== this.#returns) continue;
      else if (this.#callsUnderWay === 0) await refuseSpending(this.#store, short, amount);
      else await new Promise<void>((resolve) => (this.#whenGivenBack = resolve));
    }
    this.#promised += amount;
    this.#callsUnderWay += 1;
  }

  /** @returns the first budget that has too little left */
  async #reserveFor(amount: NanoUsd): Promise<Cap | undefined> {
    for (const cap of this.#request.caps) {
      const missing = (): number => this.#promised + amount - (this.#reserved.get(cap.budget) ?? 0);
      if (missing() <= 0) continue;
      this.#reserved.set(cap.budget, await reserve(this.#store, cap, this.#request.session, nanoUsd(missing())));
      if (missing() > 0) return cap;
    }
    return undefined;
  }
}
