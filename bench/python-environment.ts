/**
 * The Python that runs the peers: a virtual environment with exactly `peers/requirements.txt`, in the cache of parts. Made
 * once per list, interpreter and platform; complete or absent, whatever kills the bench when. Where it cannot be made, the
 * reason is one line, and the rows that need it are reported as not measured.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, logFile, provideEntry } from '../tools/cache.js';
import { captureCommand, findExecutable, runLogged } from '../tools/command.js';
import type { SetupContext } from '../tools/part.js';

export type PythonEnvironment =
  { readonly python: string; readonly versions: string } | { readonly python?: undefined; readonly why: string };

export const peersDirectory = join(import.meta.dirname, '..', '..', 'bench', 'peers');

const part = 'bench-python';
const installTimeoutMs = 30 * 60_000;
const importTimeoutMs = 5 * 60_000;
const pythonPath = join('venv', 'bin', 'python');
const importEverything =
  'import sys, torch, transformers; print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, transformers {transformers.__version__}")';

/** Fetches and installs about 2 GB the first time, nothing later. Never rejects. */
export async function providePython(context: SetupContext): Promise<PythonEnvironment> {
  try {
    return await provide(context);
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

async function provide(context: SetupContext): Promise<PythonEnvironment> {
  const { environment, variables, reporter } = context;
  const requirements = join(peersDirectory, 'requirements.txt');
  const base = await findExecutable(environment.python, variables);
  if (base === undefined) return { why: `no Python: ${environment.python} is not on PATH` };
  const { output: version } = await captureCommand(base, ['--version'], { variables, timeoutMs: 60_000 });
  const digest = digestOf(await readFile(requirements), version, `${process.platform}-${process.arch}`);
  const entry = await provideEntry(
    environment.cacheDirectory,
    { part, version: version.replace(/^Python /, ''), digest },
    async (staging) => {
      const step = reporter.step(`${part}: installing torch and transformers for the peers`);
      try {
        const options = { variables, timeoutMs: installTimeoutMs, logFile: logFile(environment.cacheDirectory, part) };
        await runLogged(base, ['-m', 'venv', join(staging, 'venv')], options);
        await runLogged(join(staging, pythonPath), [...pipInstall, requirements], options);
        await versionsOf(join(staging, pythonPath), context);
      } finally {
        step.end();
      }
      return { from: 'pip', files: [join('venv', 'pyvenv.cfg')] };
    },
    { onWait: (holder) => reporter.line(`${part}: waiting for ${holder}, which prepares it`) },
  );
  const python = join(entry.directory, pythonPath);
  return { python, versions: await versionsOf(python, context) };
}

const pipInstall = [
  ...'-m pip install --disable-pip-version-check --no-input --no-cache-dir --progress-bar off'.split(' '),
  ...'--no-deps --only-binary=:all: --requirement'.split(' '),
];

async function versionsOf(python: string, { variables }: SetupContext): Promise<string> {
  const { code, output } = await captureCommand(python, ['-c', importEverything], {
    variables,
    timeoutMs: importTimeoutMs,
  });
  const lastLine = output.trim().split('\n').at(-1) ?? '';
  if (code !== 0) throw new Error(`the Python peers do not load: ${lastLine}`);
  return lastLine;
}
