/** Where set-up has left TensorFlow: tests of the fast engine load the real library from there. */
import { join } from 'node:path';
import { findPart } from '../../tools/part.js';
import { packagePath } from '../../tools/tensorflow-addon.js';
import { tensorflow } from '../../tools/tensorflow.js';
import { recordedContext } from './setup-context.js';

/** The directory of the package with its addon built; an error says why there is none. */
export async function nativePackageDirectory(): Promise<string> {
  const { found, refusals } = await findPart(tensorflow, recordedContext(process.env));
  if (found !== undefined) return join(found.location, packagePath);
  const reasons = refusals.map(({ source, why }) => `${source}: ${why}`).join('; ');
  throw new Error(`Expected TensorFlow where set-up leaves it (npm run setup), found none: ${reasons}`);
}
