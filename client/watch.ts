/**
 * Watches a run as it goes on: an endless loop for whoever reads it, until the run is over. Nobody is asked but the server, so it
 * works where no worker does; a server that is not reached is asked again. Whoever leaves the loop ends the watching, and not
 * the run.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { asNightstillError, hasCode } from '../config/errors.js';
import { changes, type RunEvent } from './run-events.js';
import { RunReader, type RunReference } from './run-reader.js';
import type { RunView } from './run-view.js';

export interface WatchOptions {
  /** Ends the watching: the loop is over, without an event. */
  readonly signal?: AbortSignal;
}

const lookEveryMs = 1000;

/**
 * @param run a `RunHandle`, or where one is found
 * @throws run-missing, run-unreadable, temporal-refused
 */
export async function* watch(run: RunReference, { signal }: WatchOptions = {}): AsyncGenerator<RunEvent, void> {
  const reader = new RunReader(run);
  let seen: RunView | undefined;
  let isReached = true;
  while (!signal?.aborted) {
    const looked = await lookAgain(reader);
    if (signal?.aborted) return;
    if ('failure' in looked) {
      if (isReached) yield { type: 'reconnecting', failure: looked.failure };
      isReached = false;
    } else {
      if (!isReached) yield { type: 'reconnected' };
      isReached = true;
      yield* changes(seen, looked.view);
      seen = looked.view;
      const { status, failure } = seen;
      if (status !== 'running') {
        const result = reader.history.end?.result;
        yield { type: 'end', status, ...(result && { result }), ...(failure && { failure }) };
        return;
      }
    }
    await delay(lookEveryMs, undefined, { ...(signal && { signal }) }).catch(() => undefined);
  }
}

async function lookAgain(reader: RunReader) {
  try {
    return { view: await reader.look() };
  } catch (error) {
    if (!hasCode(error, 'temporal-unavailable')) throw error;
    const { code, message } = asNightstillError(error);
    return { failure: { code, message } };
  }
}
