/** What keeps the next moment of each stage of a run from passing before the kill that is meant for it. */
import type { Hold, HoldingProxy } from './holding-proxy.js';
import { requestOf, type KillOrder } from './kill-orders.js';
import type { TeacherProcess } from './teacher-process.js';

export type StageKeys = Readonly<Record<string, string>>;

/** A moment that is kept from passing. */
export type Held = Pick<Hold, 'holds' | 'release'>;

/** The holds of a run: for each stage that of the order that comes next in its life. */
export class Strikes {
  readonly #left: KillOrder[];
  readonly #holds = new Map<string, Held>();

  constructor(
    readonly store: HoldingProxy,
    readonly teacher: TeacherProcess | undefined,
    readonly runId: string,
    orders: readonly KillOrder[],
    readonly stageKeys: StageKeys,
  ) {
    this.#left = [...orders];
    for (const stage of new Set(orders.map((order) => order.stage))) this.next(stage);
  }

  holdOf(stage: string): Held | undefined {
    return this.#holds.get(stage);
  }

  next(stage: string): void {
    const index = this.#left.findIndex((order) => order.stage === stage);
    const [order] = index < 0 ? [] : this.#left.splice(index, 1);
    const hold = order && this.#holdAt(order);
    if (hold) this.#holds.set(stage, hold);
    else this.#holds.delete(stage);
  }

  #holdAt({ moment, stage }: KillOrder): Held | undefined {
    if (moment === 'ask') return this.teacher?.hold();
    // Work goes on until it would be sealed: a stage that is done sooner than anybody looks is struck there.
    const request = requestOf(moment === 'work' ? 'seal' : moment, this.stageKeys[stage] ?? '', `stores/${this.runId}`);
    return this.store.hold(request);
  }
}
