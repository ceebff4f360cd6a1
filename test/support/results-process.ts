/**
 * A program that writes its results to a file and then ends. It promises to return in bounded time once the results are there:
 * a Node that is ending may wait for its own threads for ever (nodejs/node#54918), and whatever a test left open keeps Jest
 * alive as long.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface ResultsProgram {
  /** What node is started with. */
  readonly words: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly outputFile: string;
}

export interface ResultsEnd {
  /** The JSON that it wrote, or undefined where it ended without. */
  readonly results: unknown;
  /** It ended with 0; or it had to be ended while it waited for its own threads, and for nothing that a test left open. */
  readonly succeeded: boolean;
  /** Where its threads waited when it had to be ended. */
  readonly hung?: string;
}

const lookEveryMs = 250;

/** @param graceMs how long it may take to end after its results */
export async function runForResults(
  { words, cwd, env, outputFile }: ResultsProgram,
  graceMs = 30_000,
): Promise<ResultsEnd> {
  const child = spawn(process.execPath, [...words], { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  let status: number | null | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code) => resolve(void (status = code)));
    child.once('error', () => resolve(void (status = null)));
  });
  while (status === undefined && readResults(outputFile) === undefined) await Promise.race([ended, delay(lookEveryMs)]);
  await Promise.race([ended, delay(graceMs, undefined, { ref: false })]);
  const results = readResults(outputFile);
  if (status !== undefined || child.pid === undefined) return { results, succeeded: status === 0 };
  const [main = '', ...others] = waitsOf(child.pid);
  child.kill('SIGKILL');
  await ended;
  return { results, succeeded: main.startsWith('futex'), hung: [main, ...others].join(', ') };
}

/** In which function of the kernel each thread of a process waits, its main thread first; nothing where the kernel does not say. */
function waitsOf(pid: number): readonly string[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).sort((one, other) => Number(one) - Number(other));
    return threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/wchan`, 'utf8'));
  } catch {
    return [];
  }
}

/** Undefined while the file is not there, or not whole. */
function readResults(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
