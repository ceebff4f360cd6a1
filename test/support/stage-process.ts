/** Processes that run `stage-child.ts`: what they have said, and how they ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { endWithUs } from './left-behind.js';
import { compiledPath } from './processes.js';
import type { StageEvent, StageTask } from './stage-task.js';

export interface StageProcess {
  readonly pid: number;
  /** Everything said so far. */
  readonly events: readonly StageEvent[];
  /** It has said something, or has ended. */
  readonly began: Promise<unknown>;
  readonly ended: Promise<StageEnd>;
  signal(signal: NodeJS.Signals): void;
}

export interface StageEnd {
  readonly events: readonly StageEvent[];
  readonly signal: NodeJS.Signals | null;
}

export function startStage(task: StageTask, environment: Readonly<Record<string, string>> = {}): StageProcess {
  const child = spawn(
    process.execPath,
    ['--no-warnings', compiledPath('test/support/stage-child.js'), JSON.stringify(task)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    },
  );
  if (child.pid === undefined) throw new Error('expected a process, found none');
  endWithUs(child);
  const events: StageEvent[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => events.push(JSON.parse(line)));
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(([[, signal]]) => ({ events, signal }));
  const began = Promise.race([once(lines, 'line'), ended]);
  return { pid: child.pid, events, began, ended, signal: (name) => void child.kill(name) };
}

export const runStage = (task: StageTask, environment?: Readonly<Record<string, string>>): Promise<StageEnd> =>
  startStage(task, environment).ended;
