/** Which model is served: a directory, or what an alias of a store names, fetched into the cache. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { NightstillError } from '../../config/errors.js';
import { fetchModel } from '../../distillation/index.js';
import { canonicalJson, openObjectStore, resolveAlias } from '../../storage/index.js';
import { packageVersion } from '../../tools/package-version.js';
import { promptShapesUpTo } from '../../engine/index.js';
import type { EngineFacts, EngineJob } from './engine-protocol.js';

export interface ModelPlace {
  readonly directory: string;
  /** What requests call it. */
  readonly modelId: string;
}

interface ModelNamed {
  /** A path, or `name/alias` of the store; an alias that is not said is `champion`. */
  readonly model: string;
  readonly store: string;
  readonly cacheDirectory: string;
}

/** @throws alias-missing, store-missing, store-unavailable, object-missing, object-damaged, output-failed */
export async function findModel({ model, store: url, cacheDirectory }: ModelNamed): Promise<ModelPlace> {
  const directory = resolve(model);
  if (await isDirectory(directory)) return { directory, modelId: basename(directory) };
  const [name = '', alias = 'champion', ...more] = model.split('/');
  if (name === '' || name.startsWith('.') || alias === '' || more.length > 0)
    throw new NightstillError('model-file-missing', `expected a model directory or an alias, found ${directory}`);
  const store = await openObjectStore(url);
  try {
    const artifact = await resolveAlias(store, name, alias);
    const fetched = await fetchModel(store, artifact, join(cacheDirectory, 'models'));
    return { directory: fetched, modelId: `${name}/${alias}` };
  } finally {
    await store.close();
  }
}

const isDirectory = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** The digest of the files of the model. */
export async function modelDigestOf({ directory }: ModelPlace): Promise<string> {
  const files: Record<string, string> = {};
  for (const name of (await readdir(directory)).filter((file) => /\.(json|safetensors|jinja|txt|model)$/.test(file)))
    files[name] = await digestOfFile(join(directory, name));
  return createHash('sha256').update(canonicalJson(files)).digest('hex');
}

/**
 * The digest of everything that decides about an answer: the files of the model, what computes, in which shapes, and this
 * release. Two servers with the same one give the same tokens for the same request.
 */
export function fingerprintOf(
  modelDigest: string,
  { slots, capacity, threads }: EngineJob,
  { fingerprint }: EngineFacts,
): string {
  const parts = {
    modelDigest,
    engine: { version: packageVersion(), threads, ...definedOnly(fingerprint) },
    shapes: { slots, capacity, ...promptShapesUpTo(capacity, slots) },
  };
  return `fp_${createHash('sha256').update(canonicalJson(parts)).digest('hex').slice(0, 32)}`;
}

const definedOnly = (facts: EngineFacts['fingerprint']): Record<string, string> =>
  Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, String(value)]));

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) hash.update(piece);
  return hash.digest('hex');
}
