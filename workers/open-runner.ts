/**
 * The runner that the numerics of the plan name, or a refusal: numerics are part of the stage key, so no other runner will do.
 */
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readEnvironment } from '../config/environment.js';
import { NightstillError } from '../config/errors.js';
import type { Numerics } from '../config/numerics.js';
import {
  flagsToAdopt,
  kernelsRunner,
  libraryBuild,
  numericFlags,
  tensorflowRunner,
  withXlaCache,
  type Fingerprint,
  type Runner,
} from '../engine/index.js';
import { digestOf, hexOf, type StageWriter } from '../storage/index.js';
import { describeRefusals, findPart } from '../tools/part.js';
import { silentReporter } from '../tools/progress.js';
import { packagePath } from '../tools/tensorflow-addon.js';
import { tensorflow } from '../tools/tensorflow.js';
import { markEntryUsed, removeUnusedEntries } from './compiled-caches.js';

type Opener = (numerics: Numerics, cacheDirectory: string, goesOnFrom: Fingerprint | undefined) => Promise<Runner>;

const openers: Readonly<Record<Numerics['runner'], Opener>> = {
  tensorflow: openTensorflow,
  wasm: openWasm,
};

/**
 * This process was started with the settings of as many threads, and holds as many cores.
 * @param cacheDirectory where compiled programs are kept
 * @param goesOnFrom the fingerprint of the state that will be gone on from: the flags that it was made under are set
 * @throws numerics-unavailable
 */
export const openRunner = (numerics: Numerics, cacheDirectory: string, goesOnFrom?: Fingerprint): Promise<Runner> =>
  openers[numerics.runner](numerics, cacheDirectory, goesOnFrom);

const fingerprintSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
/** In these states of stages lies the fingerprint that they were made under: trainings; distributions and scores. */
const recordedSchema = z.union([
  z.looseObject({ progress: z.looseObject({ fingerprint: fingerprintSchema }) }).transform(({ progress }) => progress),
  z.looseObject({ fingerprint: fingerprintSchema }),
]);

/** Of the newest checkpoint of a stage. @throws store-unavailable */
export async function recordedFingerprint(writer: StageWriter): Promise<Fingerprint | undefined> {
  return recordedSchema.safeParse(await writer.peek()).data?.fingerprint;
}

/**
 * The runner of a claimed stage, under the flags of the checkpoint that it goes on from, and where its process keeps models, tokens and
 * compiled programs between attempts.
 * @throws numerics-unavailable, store-unavailable
 */
export async function openStageRunner(
  numerics: Numerics,
  writer: StageWriter,
): Promise<{ readonly runner: Runner; readonly cacheDirectory: string }> {
  const cacheDirectory = join(readEnvironment(process.env).cacheDirectory, 'training');
  const goesOnFrom = await recordedFingerprint(writer);
  return { runner: await openRunner(numerics, join(cacheDirectory, 'programs'), goesOnFrom), cacheDirectory };
}

async function openTensorflow(numerics: Numerics, cacheDirectory: string, goesOnFrom?: Fingerprint): Promise<Runner> {
  const { tensorflow: version, threads, xla } = numerics;
  const [environment, variables] = [readEnvironment(process.env), process.env];
  const context = { environment, variables, reporter: silentReporter, verify: false };
  const outcome = await findPart(tensorflow, context);
  const { found } = outcome;
  if (found === undefined)
    throw unavailable(`TensorFlow ${version}`, `none where set-up leaves it (${describeRefusals(outcome)})`);
  const packageDirectory = join(found.location, packagePath);
  await removeUnusedEntries(join(cacheDirectory, 'programs'));
  if (goesOnFrom) setVariables(flagsToAdopt(process.env, goesOnFrom));
  if (xla) {
    const kept = await xlaCacheOf(version, libraryBuild(packageDirectory, cacheDirectory));
    setVariables({ TF_XLA_FLAGS: withXlaCache(kept, process.env['TF_XLA_FLAGS']) });
  }
  const runner = tensorflowRunner({ packageDirectory, cacheDirectory, threads, variables });
  if (runner.library.version !== version) throw unavailable(`TensorFlow ${version}`, runner.library.version);
  return runner;
}

/** Of this process, whose library is not loaded yet: what the library reads when it is. */
function setVariables(changes: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(changes))
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
}

/** What XLA compiled holds on one machine, for one build of TensorFlow and under one set of flags. */
async function xlaCacheOf(release: string | null, build: string): Promise<string> {
  const machines = join(readEnvironment(process.env).cacheDirectory, 'training', 'xla');
  const made = hexOf(digestOf(JSON.stringify({ build, ...numericFlags(process.env) }))).slice(0, 16);
  const directory = join(machines, `${hostname()}-${release}-${made}`);
  await mkdir(directory, { recursive: true });
  await markEntryUsed(directory);
  for (const used of [machines, directory]) await removeUnusedEntries(used);
  return directory;
}

async function openWasm({ xla, precision }: Numerics): Promise<Runner> {
  if (xla) throw unavailable('XLA', 'wasm, which has none');
  if (precision !== 'float32') throw unavailable(precision, 'wasm, which computes in float32');
  return kernelsRunner({ backend: 'wasm' });
}

const unavailable = (expected: string, found: string): NightstillError =>
  new NightstillError('numerics-unavailable', `expected ${expected}, found ${found}`);
