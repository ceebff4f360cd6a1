/**
 * An artifact is what one stage hands to the next: an index blob that lists its parts, all content addressed. Its digest is
 * the digest of the index, so equal content has equal identity whoever made it, whenever and in however many attempts.
 */
import { z } from 'zod';
import { NightstillError, hasCode } from '../config/errors.js';
import { blobRefSchema, hasBlob, maximumBlobBytes, putBlob, readBlob, type BlobRef } from './blobs.js';
import { canonicalJson, isJsonObject, parseJson, type Json } from './canonical-json.js';
import type { Digest } from './digest.js';
import { blobKey } from './layout.js';
import type { ObjectStore } from './object-store.js';
import { inParallel } from './parallel.js';
import { digestSchema, jsonSchema } from './record.js';

const count = z.number().int().nonnegative();

/** What travels between stages and through Temporal instead of data. `bytes` is the sum of the parts. */
export const artifactRefSchema = z.looseObject({
  kind: z.string(),
  digest: digestSchema,
  uri: z.string(),
  bytes: count,
  rows: count.optional(),
  /** Size of the index blob. */
  indexBytes: count.max(maximumBlobBytes),
  resumedInexactlyAt: z.array(count).readonly().optional(),
});
export type ArtifactRef = z.output<typeof artifactRefSchema>;

const indexSchema = z.looseObject({
  version: z.literal(1),
  kind: z.string(),
  parts: z.array(blobRefSchema.extend({ rows: count.optional() })),
  meta: jsonSchema,
});
export type ArtifactIndex = z.output<typeof indexSchema>;
export type ArtifactPart = ArtifactIndex['parts'][number];

const describesInFlight = 16;

export interface NewArtifact {
  readonly kind: string;
  /** Blobs that are durable already, in their order. */
  readonly parts: readonly ArtifactPart[];
  /** Facts about the content: they are part of its identity. */
  readonly meta: Json;
}

export async function putArtifact(store: ObjectStore, { kind, parts, meta }: NewArtifact): Promise<ArtifactRef> {
  const index = { version: 1, kind, parts: parts.map((part) => ({ ...part })), meta } as const;
  return referTo(store, index, await putBlob(store, Buffer.from(canonicalJson(index))));
}

function referTo(
  store: ObjectStore,
  { kind, parts }: Pick<ArtifactIndex, 'kind' | 'parts'>,
  { digest, bytes: indexBytes }: BlobRef,
): ArtifactRef {
  const counted = parts.every(({ rows }) => rows !== undefined);
  return {
    kind,
    digest,
    uri: `${store.url.replace(/[?].*$/, '')}/${blobKey(digest)}`,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(counted ? { rows: parts.reduce((sum, { rows }) => sum + (rows ?? 0), 0) } : {}),
    indexBytes,
  };
}

/**
 * The artifact of this digest, for those who know nothing else of it; undefined where there is none.
 * @throws object-damaged, record-version-unknown, record-invalid when the object is no index of an artifact
 */
export async function findArtifact(store: ObjectStore, digest: Digest): Promise<ArtifactRef | undefined> {
  const object = await store.describe(blobKey(digest));
  if (!object) return undefined;
  const { bytes } = object;
  const uri = `${store.url}: ${digest}`;
  if (bytes > maximumBlobBytes)
    throw new NightstillError('record-invalid', `${uri}: expected the index of an artifact, found ${bytes} bytes`);
  const index = await readArtifact(store, { kind: '', digest, uri, bytes: 0, indexBytes: bytes });
  return referTo(store, index, { digest, bytes });
}

export const indexBlobOf = ({ digest, indexBytes }: ArtifactRef): BlobRef => ({ digest, bytes: indexBytes });

/** @throws object-missing, object-damaged, record-version-unknown, record-invalid */
export async function readArtifact(store: ObjectStore, artifact: ArtifactRef): Promise<ArtifactIndex> {
  const text = Buffer.from(await readBlob(store, indexBlobOf(artifact))).toString();
  const found = `${artifact.uri}: expected an artifact index of version 1, found ${text.slice(0, 80)}`;
  let parsed: z.ZodSafeParseResult<ArtifactIndex>;
  let version: Json | undefined;
  try {
    const index = parseJson(text);
    version = isJsonObject(index) ? index['version'] : undefined;
    parsed = indexSchema.safeParse(index);
  } catch (cause) {
    throw new NightstillError('record-invalid', found, { cause }); // no JSON, or nested beyond all bounds
  }
  if (parsed.success) return parsed.data;
  throw new NightstillError(
    typeof version === 'number' && version > 1 ? 'record-version-unknown' : 'record-invalid',
    found,
  );
}

/** All of its parts, one after another: for artifacts that fit into memory. @throws as readArtifact and readBlob */
export async function readContent(store: ObjectStore, artifact: ArtifactRef): Promise<Buffer> {
  const { parts } = await readArtifact(store, artifact);
  const bytes: Uint8Array[] = [];
  for (const part of parts) bytes.push(await readBlob(store, part));
  return Buffer.concat(bytes);
}

/** Is every object of the artifact there, with its size? A damaged index counts as not there. */
export async function hasArtifact(store: ObjectStore, artifact: ArtifactRef): Promise<boolean> {
  try {
    const { parts } = await readArtifact(store, artifact);
    let complete = true;
    await inParallel(describesInFlight, parts, async (part) => {
      complete = complete && (await hasBlob(store, part));
    });
    return complete;
  } catch (error) {
    if (hasCode(error, 'object-missing', 'object-damaged', 'record-invalid')) return false;
    throw error;
  }
}
