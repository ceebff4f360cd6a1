/**
 * Where a model is read from: a directory, or the objects under an S3 prefix, as Hugging Face lays a model out. A source can say
 * which version of the files it has without reading them. Only files that say something of the model are seen.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { NightstillError, hasCode } from '../config/errors.js';
import { openObjectStore, type ObjectStore } from '../storage/index.js';
import { sourceIdentitySchema, type DatasetSource } from './dataset-source.js';
import { openFileSource } from './file-source.js';
import { objectIn } from './object-source.js';

const names =
  'config.json generation_config.json model.safetensors.index.json tokenizer.json tokenizer_config.json special_tokens_map.json added_tokens.json vocab.json merges.txt tokenizer.model chat_template.jinja'.split(
    ' ',
  );

/** No directory, no drive, nothing hidden. */
const weightFile = /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$/;
/** Weights that are not read: a model that has only these must not pass for one without weights. */
const foreignWeights = /\.(bin|pt|pth|ckpt|gguf|h5|msgpack|onnx)$/;

export const isModelFile = (name: string): boolean => names.includes(name) || weightFile.test(name);
export const isWeightFile = (name: string): boolean => weightFile.test(name);

export const modelIdentitySchema = z.object({
  uri: z.string(),
  /** In the order of their names. */
  files: z.array(sourceIdentitySchema.omit({ uri: true }).extend({ name: z.string().refine(isModelFile) })),
});
export type ModelIdentity = Readonly<z.output<typeof modelIdentitySchema>>;
export type ModelFile = ModelIdentity['files'][number];

export interface ModelSource {
  /** @throws model-file-missing */
  identify(): Promise<ModelIdentity>;
  /** The bytes of a file from `start` up to its end. @throws model-file-missing, model-changed where it is noticed */
  read(file: ModelFile, start: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** What differs between the places that hold files. */
interface Place {
  readonly uri: string;
  names(): Promise<readonly string[]>;
  open(name: string): DatasetSource;
  close(): Promise<void>;
}

/**
 * @param url `file:///absolute/directory`, or `s3://bucket/prefix` with the parameters of a store URL
 * @throws plan-invalid for any other; store-missing, store-unavailable
 */
export async function openModelSource(url: string): Promise<ModelSource> {
  const place = await openPlace(url);
  return {
    identify: () => identify(place),
    async *read({ name, bytes, ...version }, start) {
      const identity = { uri: `${place.uri}/${name}`, bytes, ...version };
      let read = start;
      for await (const chunk of ofModel(place.uri, place.open(name).read(identity, start))) {
        read += chunk.length;
        yield chunk;
      }
      if (read !== bytes) throw changed(`${place.uri}/${name}: expected ${bytes} bytes, found ${read}`);
    },
    close: () => place.close(),
  };
}

/** @throws model-changed */
export async function confirmSameModel(source: ModelSource, identity: ModelIdentity): Promise<void> {
  const found = await source.identify();
  const versionOf = ({ name, bytes, etag, modifiedAtNs }: ModelFile): string =>
    JSON.stringify([name, bytes, etag, modifiedAtNs]);
  const expected = new Set(identity.files.map(versionOf));
  const other = found.files.find((file) => !expected.has(versionOf(file)));
  if (other === undefined && found.files.length === identity.files.length) return;
  throw changed(
    `${identity.uri}: expected the files that were identified, found another ${other?.name ?? 'number of them'}`,
  );
}

const changed = (message: string, cause?: unknown): NightstillError =>
  new NightstillError('model-changed', message, { cause });

const missing = (uri: string, found: string, cause?: unknown): NightstillError =>
  new NightstillError('model-file-missing', `${uri}: expected a model directory, found ${found}`, { cause });

async function identify(place: Place): Promise<ModelIdentity> {
  const all = await place.names();
  const files: ModelFile[] = [];
  for (const name of all.filter(isModelFile).toSorted()) {
    const { uri: _, ...version } = await ofModelPromise(place.uri, place.open(name).identify());
    files.push({ name, ...version });
  }
  if (!files.some(({ name }) => name === 'config.json'))
    throw missing(place.uri, all.length === 0 ? 'nothing' : 'none with a config.json');
  const foreign = all.find((name) => foreignWeights.test(name));
  if (foreign !== undefined && !files.some(({ name }) => isWeightFile(name)))
    throw missing(place.uri, `weights in ${foreign} only: give them as safetensors`);
  return { uri: place.uri, files };
}

async function openPlace(url: string): Promise<Place> {
  const { protocol, pathname } = URL.canParse(url) ? new URL(url) : { protocol: '', pathname: '' };
  if (protocol === 'file:') return directoryPlace(url);
  if (protocol === 's3:' && pathname.length > 1) return objectPlace(new URL(url));
  throw new NightstillError('plan-invalid', `model: expected a file:// or s3:// URL, found "${protocol || 'no URL'}"`);
}

function directoryPlace(url: string): Place {
  const directory = pathOf(url);
  const uri = pathToFileURL(directory).href;
  return {
    uri,
    names: () =>
      readdir(directory).catch((cause: unknown) => {
        throw missing(uri, 'none that can be read', cause);
      }),
    open: (name) => openFileSource(pathToFileURL(join(directory, name))),
    close: () => Promise.resolve(),
  };
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url).replace(/(?<=.)\/+$/, '');
  } catch (cause) {
    throw new NightstillError('plan-invalid', 'model: expected file:///absolute/path, found another URL', { cause });
  }
}

/** The store is opened on the whole bucket: the prefix of a model may be longer than that of a store. */
async function objectPlace(url: URL): Promise<Place> {
  const prefix = url.pathname.slice(1).replace(/\/+$/, '');
  const uri = `s3://${url.host}/${prefix}`;
  const store = await openObjectStore(Object.assign(new URL(url), { pathname: '' }).href);
  return {
    uri,
    names: () => namesUnder(store, `${prefix}/`),
    open: (name) => objectIn(store, `${prefix}/${name}`, `${uri}/${name}`),
    close: () => store.close(),
  };
}

async function namesUnder(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix))
    if (!key.includes('/', prefix.length)) found.push(key.slice(prefix.length));
  return found;
}

/** What sources of datasets throw, said of a model. */
function translate(uri: string, error: unknown): unknown {
  if (hasCode(error, 'dataset-missing')) return missing(uri, error.message, error);
  if (hasCode(error, 'dataset-changed')) return changed(error.message, error);
  return error;
}

const ofModelPromise = <Result>(uri: string, work: Promise<Result>): Promise<Result> =>
  work.catch((error: unknown) => {
    throw translate(uri, error);
  });

async function* ofModel(uri: string, chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw translate(uri, error);
  }
}
