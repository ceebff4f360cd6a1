/**
 * The runner that computes as the plan says, or a refusal: what comes out is keyed by how it was computed, so nothing else than
 * what was asked for will do.
 */
import { join } from 'node:path';
import { readEnvironment } from '../config/environment.js';
import { NightstillError } from '../config/errors.js';
import type { Numerics } from '../config/numerics.js';
import { kernelsRunner, tensorflowRunner, type Runner } from '../engine/index.js';
import { findPart } from '../tools/part.js';
import { silentReporter } from '../tools/progress.js';
import { packagePath } from '../tools/tensorflow-addon.js';
import { tensorflow } from '../tools/tensorflow.js';
import { removeUnusedEntries } from './compiled-caches.js';

const openers: Readonly<Record<Numerics['runner'], (numerics: Numerics, cacheDirectory: string) => Promise<Runner>>> = {
  tensorflow: openTensorflow,
  wasm: openWasm,
};

/**
 * This process was started with the settings of as many threads, and holds as many cores.
 * @param cacheDirectory where compiled programs are kept
 * @throws numerics-unavailable
 */
export const openRunner = (numerics: Numerics, cacheDirectory: string): Promise<Runner> =>
  openers[numerics.runner](numerics, cacheDirectory);

async function openTensorflow({ tensorflow: version, threads }: Numerics, cacheDirectory: string): Promise<Runner> {
  const [environment, variables] = [readEnvironment(process.env), process.env];
  const context = { environment, variables, reporter: silentReporter, verify: false };
  const { found, refusals } = await findPart(tensorflow, context);
  if (found === undefined) {
    const reasons = refusals.map(({ source, why }) => `${source}: ${why}`).join('; ');
    throw unavailable(`TensorFlow ${version}`, `none where set-up leaves it (${reasons})`);
  }
  const packageDirectory = join(found.location, packagePath);
  await removeUnusedEntries(join(cacheDirectory, 'programs'));
  const runner = tensorflowRunner({ packageDirectory, cacheDirectory, threads });
  if (runner.library.version !== version) throw unavailable(`TensorFlow ${version}`, runner.library.version);
  return runner;
}

async function openWasm({ xla, precision }: Numerics): Promise<Runner> {
  if (xla) throw unavailable('XLA', 'wasm, which has none');
  if (precision !== 'float32') throw unavailable(precision, 'wasm, which computes in float32');
  return kernelsRunner({ backend: 'wasm' });
}

const unavailable = (expected: string, found: string): NightstillError =>
  new NightstillError('numerics-unavailable', `expected ${expected}, found ${found}`);
