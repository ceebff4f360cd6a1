/** Watches a run in the background and keeps what it says, for tests that do something to the run meanwhile. */
import { watch, type RunEvent, type RunReference, type WatchOptions } from '../../client/index.js';
import { until } from './processes.js';

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>;

export class Watching {
  readonly events: RunEvent[] = [];
  /** When the loop is over. */
  readonly over: Promise<void>;

  constructor(run: RunReference, options?: WatchOptions) {
    this.over = this.#follow(run, options);
    this.over.catch(() => undefined);
  }

  async #follow(run: RunReference, options: WatchOptions | undefined): Promise<void> {
    for await (const event of watch(run, options)) this.events.push(event);
  }

  get types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }

  /** The first event of this type that fits, once it is there. */
  sees<Type extends RunEvent['type']>(
    type: Type,
    fits: (event: EventOf<Type>) => boolean = () => true,
    limitMs?: number,
  ): Promise<EventOf<Type>> {
    const isIt = (event: RunEvent): event is EventOf<Type> => event.type === type && fits(event as EventOf<Type>);
    return until(`an event "${type}"`, () => this.events.find(isIt), limitMs);
  }
}
