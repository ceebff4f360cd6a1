/**
 * Looks at a run until it is over, and shows what it sees: a live tree on a terminal, a sentence a change elsewhere, or one
 * JSON event a line. It changes nothing: whoever stops watching leaves the run as it is.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Variables } from '../config/environment.js';
import { sightRun } from './sight-run.js';
import { ChangeLog, sentenceOf } from './view/changes.js';
import { drawRun } from './view/draw-run.js';
import { advance, isOver, startOfView, type RunView } from './view/run-view.js';
import { Screen, takesColours } from './view/screen.js';

export interface WatchRequest {
  readonly client: Client;
  readonly runId: string;
  readonly json: boolean;
  readonly variables: Variables;
  readonly signal: AbortSignal;
}

const lookEveryMs = 400;
const drawEveryMs = 250;
const plainProgressEveryMs = 10_000;
const jsonProgressEveryMs = 1000;

/** Returns what was seen last: a run that is over, or one that is left because `signal` was aborted. */
export async function watchRun(request: WatchRequest): Promise<RunView> {
  const display = openDisplay(request);
  let view = startOfView(request.runId);
  const drawing = setInterval(() => display.show(view), drawEveryMs);
  try {
    while (!isOver(view) && !request.signal.aborted) {
      view = advance(view, await sightRun(request.client, request.runId), Date.now());
      display.show(view);
      if (!isOver(view)) await pause(lookEveryMs, request.signal);
    }
    return view;
  } finally {
    clearInterval(drawing);
    display.close();
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  delay(milliseconds, undefined, { signal }).catch(() => undefined);

interface Display {
  show(view: RunView): void;
  close(): void;
}

function openDisplay({ json, variables }: WatchRequest): Display {
  if (json) return lines(jsonProgressEveryMs, (event) => JSON.stringify({ at: new Date().toISOString(), ...event }));
  const { stdout } = process;
  if (!stdout.isTTY || variables['TERM'] === 'dumb') return lines(plainProgressEveryMs, sentenceOf);
  const screen = new Screen(stdout, takesColours(stdout, variables));
  const startedAtMs = Date.now();
  return {
    show: (view) =>
      screen.draw(drawRun(view, { nowMs: Date.now(), startedAtMs, width: screen.width, height: screen.height })),
    close: () => screen.leave(),
  };
}

function lines(progressEveryMs: number, write: (event: Parameters<typeof sentenceOf>[0]) => string): Display {
  const log = new ChangeLog(progressEveryMs);
  return {
    show: (view) => {
      for (const event of log.changes(view, Date.now())) process.stdout.write(`${write(event)}\n`);
    },
    close: () => undefined,
  };
}
