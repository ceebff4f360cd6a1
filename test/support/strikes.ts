/** What keeps the next moment of each stage of a run from passing before the kill that is meant for it. */
import type { Hold, HoldingProxy } from './holding-proxy.js';
import { requestOf, type KillOrder, type Moment } from './kill-orders.js';
import type { TeacherProcess } from './teacher-process.js';

export type StageKeys = Readonly<Record<string, string>>;

/** A moment that is kept from passing. */
export type Held = Pick<Hold, 'holds' | 'release'>;

/** The holds of a run: for each stage that of the order that comes next in its life. */
export class Strikes {
  readonly #left: KillOrder[];
  readonly #holds = new Map<string, { readonly moment: Moment; readonly hold: Held }>();

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
    return this.#holds.get(stage)?.hold;
  }

  next(stage: string): void {
    const before = this.#holds.get(stage);
    const index = this.#left.findIndex((order) => order.stage === stage);
    const [order] = index < 0 ? [] : this.#left.splice(index, 1);
    const { moment } = order ?? {};
    // Work is kept from its end by its second save: where that is struck next, it stays as it is.
    const hold = moment === 'save' && before?.moment === 'work' ? before.hold : order && this.#holdAt(order);
    if (moment && hold) this.#holds.set(stage, { moment, hold });
    else this.#holds.delete(stage);
  }

  #holdAt({ moment, stage }: KillOrder): Held | undefined {
    if (moment === 'ask') return this.teacher?.hold();
    const [stageKey, store] = [this.stageKeys[stage] ?? '', `stores/${this.runId}`];
    if (moment === 'work') return this.store.hold({ ...requestOf('save', stageKey, store), passing: 1 });
    return this.store.hold(requestOf(moment, stageKey, store));
  }
}
