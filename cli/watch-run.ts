/**
 * Looks at a run until it is over, and shows what it sees: a live tree on a terminal, a sentence a change elsewhere, or one
 * JSON event a line. It changes nothing: whoever stops watching leaves the run as it is.
 */
import type { Client } from '@temporalio/client';
import { watch, type RunEvent, type RunResult, type RunView } from '../client/index.js';
import type { Variables } from '../config/environment.js';
import { drawRun } from './view/draw-run.js';
import { advance, startOfRun, type ShownRun } from './view/run-view.js';
import { Screen, takesColours } from './view/screen.js';
import { Sentences } from './view/sentences.js';

export interface WatchRequest {
  readonly client: Client;
  readonly runId: string;
  readonly json: boolean;
  readonly variables: Variables;
  readonly signal: AbortSignal;
}

export interface Watched {
  /** What was seen last: a run that is over, or one that is left because `signal` was aborted. */
  readonly view: RunView;
  /** Of a run that completed. */
  readonly result?: RunResult;
}

const drawEveryMs = 250;
const progressEveryMs = 10_000;

/** @throws run-missing, run-unreadable */
export async function watchRun({ client, runId, signal, ...how }: WatchRequest): Promise<Watched> {
  const display = openDisplay(how);
  let shown = startOfRun(runId, Date.now());
  let result: RunResult | undefined;
  const drawing = setInterval(() => display.draw(shown), drawEveryMs);
  try {
    for await (const event of watch({ client, runId }, { signal })) {
      shown = advance(shown, event, Date.now());
      display.tell(event, shown);
      if (event.type === 'end') ({ result } = event);
    }
    display.draw(shown);
    return { view: shown.view, ...(result && { result }) };
  } finally {
    clearInterval(drawing);
    display.close();
  }
}

interface Display {
  /** How the run stands, again and again. */
  draw(run: ShownRun): void;
  tell(event: RunEvent, run: ShownRun): void;
  close(): void;
}

const nothing = (): void => undefined;

function openDisplay({ json, variables }: Pick<WatchRequest, 'json' | 'variables'>): Display {
  const { stdout } = process;
  const write = (line: string): void => void stdout.write(`${line}\n`);
  if (json) return { draw: nothing, tell: (event) => write(JSON.stringify(event)), close: nothing };
  if (!stdout.isTTY || variables['TERM'] === 'dumb') {
    const sentences = new Sentences(progressEveryMs);
    const tell = (event: RunEvent, run: ShownRun): void => {
      const sentence = sentences.of(event, run, Date.now());
      if (sentence !== undefined) write(sentence);
    };
    return { draw: nothing, tell, close: nothing };
  }
  const screen = new Screen(stdout, takesColours(stdout, variables));
  return {
    draw: (run) => screen.draw(drawRun(run, { nowMs: Date.now(), height: screen.height })),
    tell: nothing,
    close: () => screen.leave(),
  };
}
