/** Runs one contestant of the engine's bench in a process of its own and hands back what it measured. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { processSettings } from '../engine/index.js';
import type { Contestant } from './engine-groups.js';
import type { EngineOptions, Measurement, Task } from './engine-measurement.js';
import { peersDirectory, type PythonEnvironment } from './python-environment.js';

export interface Surroundings {
  readonly python: PythonEnvironment;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Of tfjs-node with its addon; absent where set-up has not installed it. */
  readonly packageDirectory?: string;
  /** For the bench's own files; removed with them. */
  readonly directory: string;
}

const timeoutMs = 20 * 60_000;
const longestReason = 200;

/** @throws Error whose message is one line: why there is no measurement */
export async function run(contestant: Contestant, task: Task, surroundings: Surroundings): Promise<Measurement> {
  if (contestant.by === 'python') return runPython(contestant, task, surroundings);
  const fresh = contestant.by !== 'engine' || contestant.caches === undefined;
  const cacheDirectory = fresh
    ? await mkdtemp(join(surroundings.directory, 'cache-'))
    : join(surroundings.directory, 'cache');
  const options: EngineOptions = {
    backend: contestant.backend,
    xla: contestant.by === 'engine' && contestant.xla,
    cacheDirectory,
    ...(surroundings.packageDirectory === undefined ? {} : { packageDirectory: surroundings.packageDirectory }),
  };
  const program = contestant.by === 'engine' ? 'engine-task.js' : join('peers', 'eager-tfjs.js');
  const settings = processSettings({ threads: task.threads, xlaCacheDirectory: join(cacheDirectory, 'xla') });
  const argument = JSON.stringify([task, options]);
  try {
    return await measurementOf(process.execPath, [join(import.meta.dirname, program), argument], {
      ...surroundings.variables,
      ...settings,
    });
  } finally {
    if (fresh) await rm(cacheDirectory, { recursive: true, force: true });
  }
}

function runPython(
  { script, options }: Extract<Contestant, { by: 'python' }>,
  task: Task,
  { python, variables }: Surroundings,
): Promise<Measurement> {
  if (python.python === undefined) throw new Error(python.why);
  const arguments_ = [join(peersDirectory, script), JSON.stringify({ ...task, ...options })];
  return measurementOf(python.python, arguments_, { ...variables, PYTHONDONTWRITEBYTECODE: '1' });
}

async function measurementOf(
  file: string,
  arguments_: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Measurement> {
  try {
    const { stdout } = await promisify(execFile)(file, arguments_, { env, timeout: timeoutMs, maxBuffer: 1 << 26 });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measurement;
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  }
}

/** The line of stderr that names the error, or whatever there is. */
function reasonOf(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const lines = stderr.split('\n').filter((line) => /^\S*(Error|Exception)\b.*:/.test(line));
  const message = lines.at(-1) ?? (error instanceof Error ? error.message : String(error));
  return message.trim().slice(0, longestReason);
}
