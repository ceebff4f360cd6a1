/**
 * The Temporal server that the SDK itself downloads for tests: taken over when it lies in the temporary directory already,
 * else the SDK is asked to download it. Its address, format and choice of release are the SDK's business. A network that
 * drops packets instead of refusing them is given up after a short while.
 */
import { copyFile, lstat, readdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, directoryBytes, findEntry, logFile, provideEntry, type Built, type CacheKey } from './cache.js';
import { captureCommand, runLogged } from './command.js';
import { describeEntry, type GoProgram } from './go-build.js';
import { packageRoot } from './package-root.js';
import { cacheOptions, fromCache, refuse, type SetupContext, type Source } from './part.js';
import { isAtLeast, readVersion } from './version.js';

const firstByteTimeoutMs = 20_000;
const downloadTimeoutMs = 15 * 60_000;
const lookEveryMs = 500;
/** How the SDK names what it downloads; its release follows. */
const downloadPrefix = 'temporal-sdk-typescript-';

const downloadProgram = `
const executable = { type: 'cached-download', downloadDir: process.argv[1] };
try {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  await (await TestWorkflowEnvironment.createLocal({ server: { executable } })).teardown();
  process.exit(0);
} catch (error) {
  console.error(String(error.message).split(': ').slice(-2).join(': '));
  process.exit(1);
}
`;

/** Which server it is shows only when it is there: the key names the SDK, the manifest the server. */
const key: CacheKey = {
  part: 'temporal-server',
  version: 'sdk',
  digest: digestOf(process.platform, process.arch, downloadPrefix),
};

export const sdkDownloadInCache = (program: GoProgram): Source => ({
  name: 'cached SDK download',
  effort: 'look',
  attempt: async (context) => {
    const entry = await findEntry(context.environment.cacheDirectory, key, context);
    return entry === undefined ? refuse('nothing usable there yet') : fromCache(describeEntry(program, entry));
  },
});

export const sdkDownload = (program: GoProgram, minimumServer: string): Source => ({
  name: 'SDK download',
  effort: 'work',
  attempt: async (context) => {
    const build = async (staging: string): Promise<Built> => {
      const executable = join(staging, program.executable);
      const from = await takeOverOrDownload(staging, executable, context);
      const { output } = await captureCommand(executable, ['--version'], {
        variables: context.variables,
        timeoutMs: 10_000,
      });
      const release = readVersion(output, 'Server ');
      if (release === undefined || !isAtLeast(release, minimumServer)) {
        throw new Error(`the SDK has server ${release ?? 'of unknown version'}, expected ${minimumServer} or newer`);
      }
      return { from, release, files: [program.executable] };
    };
    const entry = await provideEntry(
      context.environment.cacheDirectory,
      key,
      build,
      cacheOptions(program.part, context),
    );
    return { found: describeEntry(program, entry) };
  },
});

async function takeOverOrDownload(staging: string, executable: string, context: SetupContext): Promise<string> {
  const earlier = await findEarlierDownload(tmpdir());
  if (earlier !== undefined) {
    await copyFile(earlier, executable);
    return 'an earlier SDK download';
  }
  await download(staging, context);
  const name = (await readdir(staging)).find((candidate) => isDownload(candidate));
  if (name === undefined) throw new Error('the SDK left no server where it was told to');
  await rename(join(staging, name), executable);
  return 'SDK download';
}

/** Its path. In a directory that everybody may write to, only what this user alone can have written is trusted. */
export async function findEarlierDownload(directory: string): Promise<string | undefined> {
  for (const name of (await readdir(directory)).filter(isDownload)) {
    const path = join(directory, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0) return path;
  }
  return undefined;
}

const isDownload = (name: string): boolean => name.startsWith(downloadPrefix) && !name.endsWith('.downloading');

async function download(staging: string, context: SetupContext): Promise<void> {
  const step = context.reporter.step('temporal-server: asking the SDK to download');
  const startedAt = performance.now();
  const giveUp = new AbortController();
  const timer = setInterval(() => {
    void directoryBytes(staging).then((bytes) => {
      step.update({ bytes });
      if (bytes === 0 && performance.now() - startedAt > firstByteTimeoutMs) giveUp.abort();
    });
  }, lookEveryMs);
  try {
    await runLogged(process.execPath, ['--input-type=module', '--eval', downloadProgram, staging], {
      variables: context.variables,
      directory: packageRoot(),
      timeoutMs: downloadTimeoutMs,
      signal: giveUp.signal,
      logFile: logFile(context.environment.cacheDirectory, 'temporal-server'),
    });
  } catch (error) {
    if (giveUp.signal.aborted) throw new Error(`no byte within ${firstByteTimeoutMs / 1000} s`);
    throw error;
  } finally {
    clearInterval(timer);
    step.end();
  }
}
