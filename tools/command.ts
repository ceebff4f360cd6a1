/**
 * Running other programs: found on PATH, bounded in time, their words kept. A command never reads from the terminal.
 * `captureCommand` is for short answers; `runLogged` streams minutes of output to a log file and keeps the last lines.
 */
import { spawn } from 'node:child_process';
import { constants, createWriteStream } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Variables } from '../config/environment.js';

export interface CommandResult {
  /** Exit status; null when a signal ended it, or it could not be started. */
  readonly code: number | null;
  /** Standard output and standard error together. */
  readonly output: string;
}

export interface CommandOptions {
  readonly variables: Variables;
  readonly directory?: string;
  readonly timeoutMs: number;
  /** Ends the program early. */
  readonly signal?: AbortSignal;
}

export interface LoggedOptions extends CommandOptions {
  readonly logFile: string;
  readonly onLine?: (line: string) => void;
}

const lastLinesKept = 12;
/** In characters: a reason is one line on a screen or two. */
const longestReason = 200;

/** Absolute path of the first executable file with this name on PATH. A name with a slash is a path already. */
export async function findExecutable(name: string, variables: Variables): Promise<string | undefined> {
  if (name.includes('/')) return (await isExecutable(name)) ? name : undefined;
  for (const directory of (variables['PATH'] ?? '').split(delimiter)) {
    if (directory !== '' && (await isExecutable(join(directory, name)))) return join(directory, name);
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Never rejects: a program that cannot be started has code null and the reason as its output. */
export async function captureCommand(
  file: string,
  arguments_: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const lines: string[] = [];
  const { code, reason } = await start(file, arguments_, options, (line) => lines.push(line));
  if (reason !== undefined) lines.push(reason);
  return { code, output: lines.join('\n') };
}

/** @throws Error with the last lines and the name of the log file when the command fails or runs past its limit. */
export async function runLogged(file: string, arguments_: readonly string[], options: LoggedOptions): Promise<void> {
  await mkdir(dirname(options.logFile), { recursive: true });
  const log = createWriteStream(options.logFile, { flags: 'a' });
  log.write(`$ ${[file, ...arguments_].join(' ')}\n`);
  const lastLines: string[] = [];
  const { code, reason } = await start(file, arguments_, options, (line) => {
    log.write(`${line}\n`);
    lastLines.push(line);
    if (lastLines.length > lastLinesKept) lastLines.shift();
    options.onLine?.(line);
  });
  await new Promise((resolve) => log.end(resolve));
  if (code === 0) return;
  throw new CommandFailure(file, reason ?? `exit status ${code}`, lastLines, options.logFile);
}

/** The message says why in one line; `lastLines` are what the command said before it ended, `logFile` holds all of it. */
export class CommandFailure extends Error {
  constructor(
    file: string,
    reason: string,
    readonly lastLines: readonly string[],
    readonly logFile: string,
  ) {
    const words = lastLines
      .findLast((line) => line.trim() !== '')
      ?.trim()
      .slice(0, longestReason);
    super(`${basename(file)} ended with ${reason}${words === undefined ? '' : `: ${words}`}`);
    this.name = 'CommandFailure';
  }
}

interface Ended {
  readonly code: number | null;
  readonly reason?: string;
}

function start(
  file: string,
  arguments_: readonly string[],
  { variables, directory, timeoutMs, signal }: CommandOptions,
  onLine: (line: string) => void,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(file, arguments_, {
      env: variables,
      stdio: ['ignore', 'pipe', 'pipe'],
      killSignal: 'SIGKILL',
      ...(directory === undefined ? {} : { cwd: directory }),
      ...(signal === undefined ? {} : { signal }),
    });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: null, reason: error.message });
    });
    child.once('close', (code, endedBy) => {
      clearTimeout(timer);
      if (timedOut) resolve({ code: null, reason: `no end within ${Math.round(timeoutMs / 1000)} s` });
      else resolve(endedBy === null ? { code } : { code: null, reason: `signal ${endedBy}` });
    });
  });
}
