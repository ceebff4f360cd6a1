/** Runs a compiled program of this folder in a process of its own, with the settings of a process that computes. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { processSettings, type ProcessSettings } from '../../../../engine/runners/process-settings.js';
import { nativePackageDirectory } from '../../../support/native-engine.js';
import { compiledPath } from '../../../support/processes.js';
import { temporaryDirectory } from '../../../support/temporary.js';

/** What the program prints as its last line, as JSON. */
export async function runChild<Result>(
  program: string,
  commandLine: readonly string[],
  settings: Partial<ProcessSettings> & { readonly cacheDirectory?: string } = {},
): Promise<Result> {
  const { cacheDirectory = temporaryDirectory(), ...process_ } = settings;
  const path = compiledPath(`test/parity/engine/children/${program}.js`);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', path, await nativePackageDirectory(), cacheDirectory, ...commandLine],
    { env: { ...process.env, ...processSettings({ threads: 2, ...process_ }) }, maxBuffer: 2 ** 26 },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Result;
}
