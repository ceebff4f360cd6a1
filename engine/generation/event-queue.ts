/** Events from a producer that does not wait to a consumer that comes when it likes. */
import type { GenerationEvent } from './request.js';

export interface EventQueue extends AsyncIterable<GenerationEvent> {
  readonly push: (events: readonly GenerationEvent[]) => void;
  /** No more events. With an error the consumer gets it after what was pushed before. */
  readonly close: (error?: unknown) => void;
}

export function createEventQueue(): EventQueue {
  const events: GenerationEvent[] = [];
  let closed = false;
  let failure: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;
  const wakeConsumer = () => {
    wake?.();
    wake = undefined;
  };
  return {
    push: (more) => {
      events.push(...more);
      wakeConsumer();
    },
    close: (error) => {
      closed = true;
      if (error !== undefined) failure = { error };
      wakeConsumer();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const event = events.shift();
        if (event !== undefined) yield event;
        else if (failure !== undefined) throw failure.error;
        else if (closed) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}
