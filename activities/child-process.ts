/**
 * A child process as a stream of messages: starts node on a compiled entry, keeps the last lines of whatever it prints, and
 * speaks JSON lines over a socket of its own. Policy (silence, stopping, what an exit means) is `child.ts`'s.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Duplex, type Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { childLinkDescriptor, type FromChild, type ToChild } from '../config/child-protocol.js';
import { saysOutOfMemory } from './out-of-memory.js';

export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Node could not start the process at all. */
  readonly startError?: Error;
}

export interface ChildHandle {
  /** Absent where it could not be started. */
  readonly pid: number | undefined;
  /** Settles when the process is gone and everything it wrote has been handed on. */
  readonly exited: Promise<ChildExit>;
  send(message: ToChild): void;
  /** SIGKILL. */
  kill(): void;
  /** The last lines that it printed to stdout and stderr. */
  lastLines(): string;
  /** Has it printed, ever, that its memory ran out? */
  saidOutOfMemory(): boolean;
}

const keptLines = 20;
const keptCharacters = 400;
/** A grandchild may keep the pipes open; nobody waits for it longer than this. */
const pipesCloseMs = 1000;

export interface ChildToStart {
  /** Absolute path of the compiled program. */
  readonly entry: string;
  /** The whole environment; absent: that of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

export function startChild({ entry, environment }: ChildToStart, onLine: (line: string) => void): ChildHandle {
  const child = spawn(process.execPath, [entry, `--parent=${process.pid}`], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    ...(environment && { env: environment }),
  });
  const link = child.stdio[childLinkDescriptor];
  const printed: string[] = [];
  let saidOutOfMemory = false;
  const keep = (line: string): void => {
    saidOutOfMemory ||= saysOutOfMemory(line);
    if (printed.push(line.slice(0, keptCharacters)) > keptLines) printed.shift();
  };
  for (const stream of [child.stdout, child.stderr]) readLines(stream, keep);
  if (link instanceof Duplex) readLines(link, onLine);
  return {
    pid: child.pid,
    exited: exitOf(child),
    send: (message) => {
      if (link instanceof Duplex && link.writable) link.write(`${JSON.stringify(message)}\n`);
    },
    kill: () => void child.kill('SIGKILL'),
    lastLines: () => printed.join('\n'),
    saidOutOfMemory: () => saidOutOfMemory,
  };
}

function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  const lines = createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
  // A broken pipe says no more than that the child is gone, and its exit says that better.
  for (const emitter of [stream, lines]) emitter.on('error', () => undefined);
}

function exitOf(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once('error', (startError) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, startError });
    });
    child.once('exit', () => {
      setTimeout(() => child.stdio.forEach((stream) => stream?.destroy()), pipesCloseMs).unref();
    });
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

/** A message of the child, or undefined for anything else. */
export function parseFromChild(line: string): FromChild | undefined {
  try {
    const message: unknown = JSON.parse(line);
    return isFromChild(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

function isFromChild(message: unknown): message is FromChild {
  if (typeof message !== 'object' || message === null || !('type' in message)) return false;
  switch (message.type) {
    case 'hello':
      return 'version' in message && typeof message.version === 'number';
    case 'progress':
      return 'progress' in message && isProgress(message.progress);
    case 'ask':
      return 'id' in message && typeof message.id === 'number' && 'question' in message;
    case 'result':
      return 'value' in message;
    case 'failed':
      return 'failure' in message && isFailure(message.failure);
    default:
      return false;
  }
}

const isProgress = (progress: unknown): boolean =>
  typeof progress === 'object' && progress !== null && 'phase' in progress && typeof progress.phase === 'string';

const isFailure = (failure: unknown): boolean =>
  typeof failure === 'object' &&
  failure !== null &&
  'code' in failure &&
  typeof failure.code === 'string' &&
  'message' in failure &&
  typeof failure.message === 'string';
