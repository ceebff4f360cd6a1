/**
 * When to save. A crash costs the work since the moment that the last durable checkpoint holds. The next save begins early enough to
 * be durable before that work exceeds the budget. But the training stands still while its state is read and copied, and now and
 * then afterwards where steps are long. Standing still may take a twentieth of the time: where the budget would need more, it is
 * exceeded. Pure: the caller tells it the time.
 */
export interface SaveCost {
  /** How long training stood still: to read the state and copy it, and to let a save go on between long steps. */
  readonly blockedMs: number;
  /** From the beginning of the reading until the checkpoint was durable. */
  readonly durableAfterMs: number;
}

/** Of the time: how much of it a training may stand still for its saves. */
export const greatestShare = 1 / 20;
/** As long as no save was measured, it is taken to be this share of the budget. */
const assumedShare = 1 / 2;
/** A save that failed is tried again after this share of the budget. */
const retryShare = 1 / 4;

export class CheckpointPolicy {
  readonly #loseAtMostMs: number;
  /** The moment that the last durable checkpoint holds: what was done after it is at risk. */
  #since: number;
  #cost: SaveCost | undefined;
  #notBefore = -Infinity;
  #saving: number | undefined;

  constructor(loseAtMostMs: number, nowMs: number) {
    this.#loseAtMostMs = loseAtMostMs;
    this.#since = nowMs;
  }

  /** Is it time to save? Never while a save is under way. */
  due(nowMs: number): boolean {
    if (this.#saving !== undefined || nowMs < this.#notBefore) return false;
    const saveMs = this.#cost?.durableAfterMs ?? this.#loseAtMostMs * assumedShare;
    return nowMs - this.#since + saveMs >= this.#loseAtMostMs;
  }

  /** The state of this moment is about to be read. */
  begin(nowMs: number): void {
    this.#saving = nowMs;
  }

  /** The save that was begun is durable. */
  durable(cost: SaveCost): void {
    if (this.#saving === undefined) return;
    this.#since = this.#saving;
    this.#notBefore = this.#saving + cost.blockedMs / greatestShare;
    this.#cost = cost;
    this.#saving = undefined;
  }

  /** The save that was begun came to nothing. */
  failed(nowMs: number): void {
    this.#saving = undefined;
    this.#notBefore = nowMs + this.#loseAtMostMs * retryShare;
  }
}
