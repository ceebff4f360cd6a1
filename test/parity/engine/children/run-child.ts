/** Runs a compiled program of this folder in a process of its own, with the settings of a process that computes. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { processSettings, type ProcessSettings } from '../../../../engine/runners/process-settings.js';
import { nativeOptions } from '../../../support/native-engine.js';
import { compiledPath } from '../../../support/processes.js';

/** What the program prints as its last line, as JSON. */
export const runChild = async <Result>(
  program: string,
  commandLine: readonly string[],
  settings: Partial<ProcessSettings> = {},
): Promise<Result> => (await runChildWithLog<Result>(program, commandLine, settings)).result;

/** With what it wrote to its error output. */
export async function runChildWithLog<Result>(
  program: string,
  commandLine: readonly string[],
  settings: Partial<ProcessSettings>,
): Promise<{ readonly result: Result; readonly log: string }> {
  const path = compiledPath(`test/parity/engine/children/${program}.js`);
  const { packageDirectory, cacheDirectory } = await nativeOptions();
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', path, packageDirectory, cacheDirectory, ...commandLine],
    { env: { ...process.env, ...processSettings({ threads: 2, ...settings }) }, maxBuffer: 2 ** 26 },
  );
  return { result: JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Result, log: stderr };
}
