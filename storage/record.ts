/**
 * Small records (heads, manifests, results, runs, aliases): canonical JSON with a version, and a digest of itself, so that a
 * flipped or cut record is told from a good one on any store. Unknown keys survive a read and a write, so that an older
 * release can move a newer one's record without losing what it does not understand. The envelope (kind, version, check) is
 * the same in every version to come.
 */
import { z } from 'zod';
import { NightstillError, hasCode } from '../config/errors.js';
import { canonicalJson, isJsonObject, parseJson, type Json, type JsonObject } from './canonical-json.js';
import { digestOf, isDigest, type Digest } from './digest.js';
import type { ObjectStore } from './object-store.js';
import { readUntilCertain, type Reading } from './reading.js';

/** How one kind of record is named and checked. Schemas are loose: they keep unknown keys. */
export interface RecordKind<Value> {
  readonly kind: string;
  readonly version: number;
  readonly schema: z.ZodType<Value>;
}

/** A record as it was read: its value and the version of the object it came from. */
export interface ReadRecord<Value> {
  readonly value: Value;
  readonly objectVersion: string;
  readonly modifiedAtMs: number;
  readonly digest: Digest;
}

/** No record comes near this size; more is refused before it fills memory. */
const maximumBytes = 64 * 1024 * 1024;

export const digestSchema = z.string().refine(isDigest, 'expected sha256: and 64 hex digits');
/** Any JSON value, taken as it is. */
export const jsonSchema: z.ZodType<Json> = z.json();

export function encodeRecord<Value>(kind: RecordKind<Value>, value: Value): Uint8Array {
  const content = { ...(value as JsonObject), kind: kind.kind, version: kind.version };
  const bytes = Buffer.from(canonicalJson({ ...content, check: digestOf(canonicalJson(content)) }));
  const read = decodeRecord(kind, bytes, `new ${kind.kind}`) as JsonObject;
  if (bytes.length <= maximumBytes && canonicalJson({ ...content, ...read }) === canonicalJson(content)) return bytes;
  throw invalid(`new ${kind.kind}`, 'what comes back as it was written', `${bytes.length} bytes that do not`);
}

/**
 * @throws record-invalid when it is damaged or not of this kind
 * @throws record-version-unknown when a newer release wrote it
 */
export function decodeRecord<Value>(kind: RecordKind<Value>, bytes: Uint8Array, name: string): Value {
  const { kind: found, version, ...content } = parseChecked(bytes, name);
  if (found !== kind.kind) throw invalid(name, `a ${kind.kind}`, canonicalJson(found ?? null).slice(0, 80));
  if (version !== kind.version)
    throw new NightstillError(
      'record-version-unknown',
      `${name}: expected ${kind.kind} version ${kind.version}, found version ${canonicalJson(version ?? null).slice(0, 80)}`,
      { details: { key: name } },
    );
  const parsed = kind.schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(name, `a valid ${kind.kind}`, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown'}`);
}

/** Do these bytes hold their own digest? Then they are whole, of whatever kind and version. */
export function isWholeRecord(bytes: Uint8Array): boolean {
  try {
    parseChecked(bytes, 'record');
    return true;
  } catch (error) {
    if (hasCode(error, 'record-invalid')) return false;
    throw error;
  }
}

function parseChecked(bytes: Uint8Array, name: string): JsonObject {
  let parsed: Json;
  try {
    parsed = parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    if (isJsonObject(parsed)) {
      const { check, ...content } = parsed;
      if (check === digestOf(canonicalJson(content))) return content;
    }
  } catch (cause) {
    throw invalid(name, 'JSON in UTF-8', `${bytes.length} bytes that are not`, cause);
  }
  throw invalid(name, 'a JSON object with its own digest as "check"', `${bytes.length} bytes that do not match theirs`);
}

const invalid = (name: string, expected: string, found: string, cause?: unknown): NightstillError =>
  new NightstillError('record-invalid', `${name}: expected ${expected}, found ${found}`, {
    details: { key: name },
    ...(cause === undefined ? {} : { cause }),
  });

/**
 * Reads a small object whole, as it arrives: whoever reads knows a digest of it, which says more than the store's checksum.
 * @throws object-missing, record-invalid when it is larger than any record
 */
export async function readSmall(store: ObjectStore, key: string): Promise<{ bytes: Buffer; object: ObjectVersion }> {
  const { body, version, modifiedAtMs, bytes } = await store.get(key);
  if (bytes > maximumBytes) {
    body.destroy();
    throw invalid(key, `at most ${maximumBytes} bytes`, `${bytes}`);
  }
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  } catch (error) {
    if (!hasCode(error, 'object-damaged')) throw error;
  }
  return { bytes: Buffer.concat(chunks), object: { version, modifiedAtMs } };
}

interface ObjectVersion {
  readonly version: string;
  readonly modifiedAtMs: number;
}

/**
 * Reads a record, or undefined where there is none. What arrives damaged is read again, since bits also flip on the way.
 * @throws record-invalid, record-version-unknown, store-unavailable
 */
export async function readRecord<Value>(
  store: ObjectStore,
  kind: RecordKind<Value>,
  key: string,
): Promise<ReadRecord<Value> | undefined> {
  try {
    return await readUntilCertain(key, () => readRecordOnce(store, kind, key));
  } catch (error) {
    if (hasCode(error, 'object-missing')) return undefined;
    throw error;
  }
}

async function readRecordOnce<Value>(
  store: ObjectStore,
  kind: RecordKind<Value>,
  key: string,
): Promise<Reading<ReadRecord<Value>>> {
  const { bytes, object } = await readSmall(store, key);
  const digest = digestOf(bytes);
  try {
    const value = decodeRecord(kind, bytes, key);
    return { value: { value, objectVersion: object.version, modifiedAtMs: object.modifiedAtMs, digest } };
  } catch (error) {
    if (hasCode(error, 'record-invalid')) return { fingerprint: digest, error };
    throw error;
  }
}
