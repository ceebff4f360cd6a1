/**
 * Models as artifacts: the files of a Hugging Face directory, cut into parts, in and out of a store. Equal files give equal
 * digests wherever they lay. Only files that say something of the model are taken.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import {
  hexOf,
  readArtifact,
  readBlob,
  type ArtifactRef,
  type JsonObject,
  type ObjectStore,
  type StageWriter,
} from '../storage/index.js';

/** Files of a model directory, by name. */
const modelFile =
  /^(config\.json|generation_config\.json|.*\.safetensors|model\.safetensors\.index\.json|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|vocab\.json|merges\.txt|tokenizer\.model|chat_template\.jinja)$/;

const partBytes = 16 * 1024 * 1024;

const metaSchema = z.looseObject({
  files: z.array(z.looseObject({ name: z.string().regex(modelFile), parts: z.int().nonnegative() })),
});

export interface ModelCopy {
  readonly store: ObjectStore;
  readonly writer: StageWriter;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly done: number; readonly of: number }) => void;
  /** What the artifact says beside its files: part of its identity. */
  readonly meta?: JsonObject;
}

interface ModelFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAtNs: string;
}

/** Which version of a directory it is, without reading it. @throws model-file-missing */
export async function identifyModelDirectory(url: string): Promise<JsonObject> {
  const files = await filesOf(url);
  return { uri: url, files: files.map(({ name, bytes, modifiedAtNs }) => ({ name, bytes, modifiedAtNs })) };
}

/**
 * Copies a model directory into the store. Only artifacts keep what they name: the parts of a copy that was cut off are put again.
 * @throws model-file-missing, store-unavailable, the reason of `signal`
 */
export async function storeModelDirectory(url: string, copy: ModelCopy): Promise<ArtifactRef> {
  const { writer, signal, onProgress } = copy;
  const files = await filesOf(url);
  const of = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const parts: { digest: ArtifactRef['digest']; bytes: number }[] = [];
  const meta: { name: string; parts: number }[] = [];
  let done = 0;
  for (const { name, path } of files) {
    const before = parts.length;
    for await (const part of createReadStream(path, { highWaterMark: partBytes }) as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      parts.push(await writer.putBlob(part));
      onProgress({ done: (done += part.length), of });
    }
    meta.push({ name, parts: parts.length - before });
  }
  return writer.putArtifact({ kind: 'model', parts, meta: { ...copy.meta, files: meta } });
}

/**
 * The model as a directory under `cacheDirectory`, named by its digest: there already, or fetched and verified.
 * @throws object-missing, object-damaged, artifact-invalid
 */
export async function fetchModel(
  store: ObjectStore,
  artifact: ArtifactRef,
  cacheDirectory: string,
  onRead: () => void = () => undefined,
): Promise<string> {
  const directory = join(cacheDirectory, hexOf(artifact.digest));
  if (await stat(directory).catch(() => undefined)) return directory;
  await mkdir(cacheDirectory, { recursive: true });
  const partial = await mkdtemp(`${directory}.partial-`);
  try {
    await writeFiles(store, artifact, partial, onRead);
    await rename(partial, directory).catch(async (error: unknown) => {
      if (!(await stat(directory).catch(() => undefined))) throw error; // somebody else was faster
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return directory;
}

async function writeFiles(
  store: ObjectStore,
  artifact: ArtifactRef,
  directory: string,
  onRead: () => void,
): Promise<void> {
  const { kind, parts, meta } = await readArtifact(store, artifact);
  const parsed = metaSchema.safeParse(meta);
  if (kind !== 'model' || !parsed.success)
    throw new NightstillError(
      'artifact-invalid',
      `${artifact.uri}: expected a model, found an artifact of kind ${kind}`,
    );
  let next = 0;
  for (const { name, parts: count } of parsed.data.files) {
    const file = createWriteStream(join(directory, name));
    for (const part of parts.slice(next, next + count)) {
      const bytes = await readBlob(store, part);
      onRead();
      await new Promise<void>((resolve, reject) => file.write(bytes, (error) => (error ? reject(error) : resolve())));
    }
    file.end();
    await finished(file);
    next += count;
  }
}

async function filesOf(url: string): Promise<ModelFile[]> {
  const missing = (found: string, cause?: unknown): NightstillError =>
    new NightstillError('model-file-missing', `${url}: expected a model directory, found ${found}`, { cause });
  if (!url.startsWith('file://')) throw missing('a URL that is no file://');
  const directory = fileURLToPath(url);
  const names = await readdir(directory).catch((cause: unknown) => {
    throw missing('none that can be read', cause);
  });
  const files: ModelFile[] = [];
  for (const name of names.filter((candidate) => modelFile.test(candidate)).sort()) {
    const path = join(directory, name);
    const { size, mtimeNs } = await stat(path, { bigint: true });
    files.push({ name, path, bytes: Number(size), modifiedAtNs: String(mtimeNs) });
  }
  if (files.every(({ name }) => name !== 'config.json')) throw missing('none with a config.json');
  return files;
}
