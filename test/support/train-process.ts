/** Processes that run `train-child.ts`: what they have said, and how they ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { processSettings } from '../../engine/runners/process-settings.js';
import { endWithUs } from './left-behind.js';
import { compiledPath } from './processes.js';
import type { TrainLine, TrainTask } from './train-task.js';

export interface TrainEnd {
  readonly lines: readonly TrainLine[];
  /** The event that was last said; −1 for none. */
  readonly event: number;
}

/** What is to be done after a line; true kills the process. */
export type Killer = (line: TrainLine, lines: readonly TrainLine[]) => boolean | Promise<boolean>;

/**
 * Runs a child to its end, or until it is killed.
 * @throws Error when it ends otherwise than it was meant to
 */
export async function train(task: TrainTask, killer?: Killer): Promise<TrainEnd> {
  const xlaCacheDirectory = task.cacheDirectory;
  const child = spawn(
    process.execPath,
    ['--no-warnings', compiledPath('test/support/children/train-child.js'), JSON.stringify(task)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...processSettings({ threads: task.threads, xlaCacheDirectory }) },
    },
  );
  endWithUs(child);
  const lines: TrainLine[] = [];
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  const said = createInterface({ input: child.stdout });
  said.on('line', (text) => {
    const line: TrainLine = JSON.parse(text);
    lines.push(line);
    void Promise.resolve(killer?.(line, lines) ?? false).then((kill) => kill && child.kill('SIGKILL'));
  });
  const [[code, signal]] = await Promise.all([once(child, 'exit'), once(said, 'close')]);
  const expected = killer === undefined ? code === 0 : signal === 'SIGKILL';
  if (!expected) throw new Error(`expected another end than ${code ?? signal}:\n${errors.join('\n')}`);
  return { lines, event: Math.max(-1, ...lines.map(({ event }) => event)) };
}
