/**
 * Looks at a run until it is over, and shows what it sees: a live tree on a terminal, a sentence a change elsewhere, or one
 * JSON event a line. It changes nothing: whoever stops watching leaves the run as it is.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { RunEvent, RunResult, RunView } from '../client/index.js';
import { changes } from '../client/run-events.js';
import { RunReader } from '../client/run-reader.js';
import type { Variables } from '../config/environment.js';
import { asNightstillError, hasCode } from '../config/errors.js';
import { drawRun } from './view/draw-run.js';
import { advance, isOver, startOfRun, type ShownRun } from './view/run-view.js';
import { Screen, takesColours } from './view/screen.js';
import { Sentences } from './view/sentences.js';

export interface WatchRequest {
  readonly client: Client;
  readonly runId: string;
  readonly json: boolean;
  readonly variables: Variables;
  readonly signal: AbortSignal;
  /** Told of every look. */
  readonly onLook?: (view: RunView) => void;
}

export interface Watched {
  /** What was seen last: a run that is over, or one that is left because `signal` was aborted. */
  readonly view: RunView;
  /** Of a run that completed. */
  readonly result?: RunResult;
}

const lookEveryMs = 500;
const drawEveryMs = 250;
const progressEveryMs = 10_000;

/** @throws run-missing, run-unreadable */
export async function watchRun({ client, runId, onLook, signal, ...how }: WatchRequest): Promise<Watched> {
  const display = openDisplay(how);
  const reader = new RunReader({ client, runId });
  let shown = startOfRun(runId);
  const drawing = setInterval(() => display.show(shown, []), drawEveryMs);
  try {
    for (let seen: RunView | undefined; !signal.aborted; await pause(lookEveryMs, signal)) {
      const looked = await look(reader);
      if (signal.aborted) break;
      if (looked.view === undefined) {
        if (shown.notice === undefined) display.show(shown, [{ type: 'reconnecting', failure: looked.failure }]);
        shown = {
          ...shown,
          notice: `the Temporal server does not answer, and is asked again: ${looked.failure.message}`,
        };
        continue;
      }
      const events: RunEvent[] = [
        ...(shown.notice === undefined ? [] : [{ type: 'reconnected' as const }]),
        ...changes(seen, looked.view),
      ];
      seen = looked.view;
      shown = advance(shown, seen, Date.now());
      onLook?.(seen);
      const result = reader.history.end?.result;
      display.show(shown, [...events, ...endOf(seen, result)]);
      if (isOver(seen)) return { view: seen, ...(result && { result }) };
    }
    return { view: shown.view };
  } finally {
    clearInterval(drawing);
    display.close();
  }
}

/** A server that is not reached is asked again. */
async function look(reader: RunReader) {
  try {
    return { view: await reader.look() };
  } catch (error) {
    if (!hasCode(error, 'temporal-unavailable')) throw error;
    const { code, message } = asNightstillError(error);
    return { view: undefined, failure: { code, message } };
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  delay(milliseconds, undefined, { signal }).catch(() => undefined);

function endOf({ status, failure }: RunView, result: RunResult | undefined): RunEvent[] {
  if (status === 'running') return [];
  return [{ type: 'end', status, ...(result && { result }), ...(failure && { failure }) }];
}

interface Display {
  show(run: ShownRun, events: readonly RunEvent[]): void;
  close(): void;
}

function openDisplay({ json, variables }: Pick<WatchRequest, 'json' | 'variables'>): Display {
  const { stdout } = process;
  const write = (line: string): void => void stdout.write(`${line}\n`);
  if (json)
    return { show: (_, events) => events.forEach((event) => write(JSON.stringify(event))), close: () => undefined };
  if (!stdout.isTTY || variables['TERM'] === 'dumb') {
    const sentences = new Sentences(progressEveryMs);
    const show = (run: ShownRun, events: readonly RunEvent[]): void =>
      events.forEach((event) => {
        const sentence = sentences.of(event, run, Date.now());
        if (sentence !== undefined) write(sentence);
      });
    return { show, close: () => undefined };
  }
  const screen = new Screen(stdout, takesColours(stdout, variables));
  return {
    show: (run) => screen.draw(drawRun(run, { nowMs: Date.now(), height: screen.height })),
    close: () => screen.leave(),
  };
}
