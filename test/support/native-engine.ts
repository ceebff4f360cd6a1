/** Where set-up has left TensorFlow: tests of the fast engine load the real library from there. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TensorflowOptions } from '../../engine/index.js';
import { describeRefusals, findPart } from '../../tools/part.js';
import { packagePath } from '../../tools/tensorflow-addon.js';
import { tensorflow } from '../../tools/tensorflow.js';
import { recordedContext } from './setup-context.js';
import { temporaryDirectory } from './temporary.js';

/** Of a new runner: nothing is compiled yet. */
export const nativeOptions = async (): Promise<Pick<TensorflowOptions, 'packageDirectory' | 'cacheDirectory'>> => ({
  packageDirectory: await nativePackageDirectory(),
  cacheDirectory: programCache(),
});

/** A directory in which only the digests of libraries are kept already, those of all tests: each takes hundreds of megabytes to read. */
function programCache(): string {
  const [directory, digests] = [temporaryDirectory(), join(tmpdir(), 'nightstill-library-digests')];
  mkdirSync(digests, { recursive: true });
  symlinkSync(digests, join(directory, 'libraries'));
  return directory;
}

/** The directory of the package with its addon built; an error says why there is none. */
export async function nativePackageDirectory(): Promise<string> {
  const outcome = await findPart(tensorflow, recordedContext(process.env));
  if (outcome.found !== undefined) return join(outcome.found.location, packagePath);
  const reasons = describeRefusals(outcome);
  throw new Error(`Expected TensorFlow where set-up leaves it (npm run setup), found none: ${reasons}`);
}
