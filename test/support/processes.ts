/**
 * Worker processes as users run them, from the compiled tree, and what Linux says of processes: who descends from whom, who
 * is left. Everything is ended by pid.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithUs } from './left-behind.js';

const compiled = join(import.meta.dirname.replace(/\/dist\/test\/support$/, '/test/support'), '../../dist');

/** Absolute path of a compiled program: `workers/io.js`. */
export const compiledPath = (program: string): string => join(compiled, program);

export interface RunningProcess {
  readonly pid: number;
  readonly exited: Promise<void>;
  /** Everything it has printed so far. */
  output(): string;
  signal(signal: NodeJS.Signals): void;
}

/** Starts a compiled program and returns when it has printed `ready`. */
export async function startProgram(
  program: string,
  commandLine: readonly string[],
  environment: Readonly<Record<string, string>>,
  ready: string,
): Promise<RunningProcess> {
  const child = spawn(process.execPath, [compiledPath(program), ...commandLine], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  endWithUs(child);
  const lines: string[] = [];
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const isReady = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        if (line.includes(ready)) resolve();
      });
  });
  const isOver = exited.then(() => Promise.reject(new Error(`expected "${ready}", found:\n${lines.join('\n')}`)));
  isOver.catch(() => undefined);
  await Promise.race([isReady, isOver]);
  return { pid: pidOf(child), exited, output: () => lines.join('\n'), signal: (name) => void child.kill(name) };
}

function pidOf({ pid }: ChildProcess): number {
  if (pid !== undefined) return pid;
  throw new Error('expected a process, found none');
}

/** State letter of a process (`R` running, `S` sleeping, `T` stopped, `Z` dead but not reaped), undefined when it is gone. */
export function stateOf(pid: number): string | undefined {
  return readStat(pid)?.state;
}

export const isAlive = (pid: number): boolean => ![undefined, 'Z', 'X'].includes(stateOf(pid));

/** All live processes that descend from this one, nearest first. */
export function descendantsOf(pid: number): number[] {
  const children = livePids().filter((candidate) => readStat(candidate)?.parent === pid && isAlive(candidate));
  return [...children, ...children.flatMap(descendantsOf)];
}

/** Live processes that run this program, whoever started them. */
export function processesRunning(program: string): number[] {
  return livePids().filter((pid) => commandLineOf(pid).includes(program) && isAlive(pid));
}

export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** The environment that a process was started with. */
export function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

/** Waits until `condition` gives a value. */
export async function until<Value>(
  what: string,
  condition: () => Value | undefined | false | Promise<Value | undefined | false>,
  limitMs = 60_000,
  everyMs = 20,
): Promise<Value> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`expected ${what} within ${limitMs} ms`);
    await delay(everyMs);
  }
}

function livePids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

function readStat(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    // The name of the program stands in parentheses and may hold anything.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return state === undefined ? undefined : { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
