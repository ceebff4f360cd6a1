/**
 * Models as artifacts: the files of a Hugging Face directory, cut into parts, in and out of a store. Equal files give equal
 * digests wherever they lay. The artifact describes the model beside its files, so that nobody must fetch it to learn what it is.
 */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import {
  blobRefSchema,
  readArtifact,
  type ArtifactIndex,
  type ArtifactRef,
  type BlobRef,
  type JsonObject,
  type ObjectStore,
  type StageWriter,
} from '../storage/index.js';
import { cacheFiles, type CachedFile } from './artifact-cache.js';
import { inspectModel, modelFactsSchema, type ModelFacts } from './model-facts.js';
import { bytesOf, cutIntoParts } from './model-parts.js';
import {
  confirmSameModel,
  isModelFile,
  openModelSource,
  type ModelIdentity,
  type ModelSource,
} from './model-source.js';

const metaSchema = z.looseObject({
  files: z.array(z.looseObject({ name: z.string().refine(isModelFile), parts: z.int().nonnegative() })),
  facts: modelFactsSchema,
});

/** A file with its parts, as far as they are in the store. */
export const storedFileSchema = z.object({ name: z.string(), parts: z.array(blobRefSchema) });
export type StoredFile = z.output<typeof storedFileSchema>;

export interface ModelCopy {
  readonly store: ObjectStore;
  readonly writer: StageWriter;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly done: number; readonly of: number }) => void;
  /** What the artifact says beside its files: part of its identity. */
  readonly meta?: JsonObject;
}

/** Which version of a directory it is, without reading it. @throws model-file-missing */
export async function identifyModelDirectory(url: string): Promise<JsonObject> {
  const source = await openModelSource(url);
  try {
    const { uri, files } = await source.identify();
    return { uri, files };
  } finally {
    await source.close();
  }
}

/**
 * Copies a model directory into the store in one go, without checkpoints: only the artifact keeps its parts from being collected.
 * @throws as `inspectModel`; store-unavailable, the reason of `signal`
 */
export async function storeModelDirectory(url: string, copy: ModelCopy): Promise<ArtifactRef> {
  const source = await openModelSource(url);
  try {
    const identity = await source.identify();
    return await storeModel(source, identity, copy, { before: [], onPart: () => undefined });
  } finally {
    await source.close();
  }
}

export interface StoredParts {
  /** What an attempt before has put into the store. */
  readonly before: readonly StoredFile[];
  readonly onPart: (files: readonly StoredFile[]) => void;
}

/** The copy itself: a model is looked over first, and must be the same before and after. */
export async function storeModel(
  source: ModelSource,
  identity: ModelIdentity,
  { writer, signal, onProgress, meta }: ModelCopy,
  { before, onPart }: StoredParts,
): Promise<ArtifactRef> {
  await confirmSameModel(source, identity);
  const facts: ModelFacts = await inspectModel(source, identity);
  const of = bytesOf(identity.files);
  const files: { name: string; parts: BlobRef[] }[] = [];
  let done = 0;
  for (const file of identity.files) {
    const stored = { name: file.name, parts: [...(before.find(({ name }) => name === file.name)?.parts ?? [])] };
    files.push(stored);
    done += bytesOf(stored.parts);
    for await (const part of cutIntoParts(source.read(file, bytesOf(stored.parts)))) {
      signal.throwIfAborted();
      stored.parts.push(await writer.putBlob(part));
      onProgress({ done: (done += part.length), of });
      onPart(files);
    }
  }
  await confirmSameModel(source, identity);
  return writer.putArtifact({
    kind: 'model',
    parts: files.flatMap(({ parts }) => parts),
    meta: { ...meta, facts, files: files.map(({ name, parts }) => ({ name, parts: parts.length })) },
  });
}

/** What the model is, from its artifact alone. @throws artifact-invalid, object-missing, object-damaged */
export async function readModelFacts(store: ObjectStore, artifact: ArtifactRef): Promise<ModelFacts> {
  return parseIndex(artifact, await readArtifact(store, artifact)).facts;
}

/**
 * The model as a directory under `cacheDirectory`, named by its digest: there already, or fetched and verified.
 * @throws object-missing, object-damaged, artifact-invalid, output-failed
 */
export async function fetchModel(
  store: ObjectStore,
  artifact: ArtifactRef,
  cacheDirectory: string,
  onRead: () => void = () => undefined,
): Promise<string> {
  const index = await readArtifact(store, artifact);
  const { files } = parseIndex(artifact, index);
  let next = 0;
  const cached = files.map(({ name, parts }): CachedFile => {
    next += parts;
    return { name, parts: index.parts.slice(next - parts, next) };
  });
  return cacheFiles({ store, artifact, files: cached, cacheDirectory, onRead });
}

function parseIndex({ uri }: ArtifactRef, { kind, parts, meta }: ArtifactIndex): z.output<typeof metaSchema> {
  const parsed = metaSchema.safeParse(meta);
  const counted = parsed.data?.files.reduce((sum, file) => sum + file.parts, 0);
  if (kind === 'model' && parsed.success && counted === parts.length) return parsed.data;
  throw new NightstillError(
    'artifact-invalid',
    `${uri}: expected a model with its files, found an artifact of kind ${kind}`,
  );
}
