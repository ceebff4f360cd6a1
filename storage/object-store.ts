/**
 * The port: durable bytes under keys. Whoever implements it promises
 *  - atomic visibility: a reader sees the whole object or none of it, and a write that returned is durable;
 *  - atomic conditions: of any number of concurrent `putIfAbsent` or `putIfMatch` on one key exactly one wins;
 *  - read-after-write: `get`, `describe` and `list` see every write that returned;
 *  - coded errors: every failure is a NightstillError whose details carry store, key, operation and request id.
 * It does not promise that a write which failed was not applied: a lost response looks like a failure.
 */
import type { Readable } from 'node:stream';

/** A key is validated by `keys.ts`; adapters call it first thing. */
export type ObjectKey = string;

/** What the store says of one version of an object. */
export interface ObjectDescription {
  readonly key: ObjectKey;
  readonly bytes: number;
  /** Opaque; differs whenever the content differs, but the same content may give the same version again (ABA). */
  readonly version: string;
  /** Milliseconds since the epoch, by the store's clock. A put of equal bytes renews it. */
  readonly modifiedAtMs: number;
}

export interface StoredObject extends ObjectDescription {
  /** The bytes asked for. Reading it to its end, or destroying it, frees the connection. */
  readonly body: Readable;
}

/** Bytes in memory, or a source of known length that can be opened again when a write must be repeated. */
export type ObjectBody = Uint8Array | { readonly bytes: number; readonly open: () => AsyncIterable<Uint8Array> };

/** Half open: bytes `start` up to, not including, `end`. A range that reaches past the end is cut there. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface GetOptions {
  readonly range?: ByteRange;
  /** The caller knows a digest and verifies it: a checksum that the store kept need not be verified as well. */
  readonly isVerified?: boolean;
  readonly signal?: AbortSignal;
}

export interface PutOptions {
  readonly signal?: AbortSignal;
  /** Digest of the body, when the caller knows it already (lower-case hex SHA-256): saves hashing it again. */
  readonly sha256?: string;
}

export interface ListOptions {
  readonly signal?: AbortSignal;
  /** Of a bucket: a name that is passed over. */
  readonly onPassedOver?: (name: string) => void;
}

export interface ObjectStore {
  /** The URL it was opened with, free of credentials: stands in error messages and artifact references. */
  readonly url: string;

  /** @throws object-missing, object-range-invalid, store-unavailable, store-access-denied */
  get(key: ObjectKey, options?: GetOptions): Promise<StoredObject>;

  /** The description, or undefined when there is no such object. */
  describe(key: ObjectKey, options?: { readonly signal?: AbortSignal }): Promise<ObjectDescription | undefined>;

  /** Writes whatever was there before. */
  put(key: ObjectKey, body: ObjectBody, options?: PutOptions): Promise<ObjectDescription>;

  /** @throws object-exists when the key holds an object already; its content is unchanged. */
  putIfAbsent(key: ObjectKey, body: ObjectBody, options?: PutOptions): Promise<ObjectDescription>;

  /** @throws object-changed when the key's version is another, or the object is gone; its content is unchanged. */
  putIfMatch(key: ObjectKey, body: ObjectBody, version: string, options?: PutOptions): Promise<ObjectDescription>;

  /**
   * All objects whose key begins with `prefix` (any string, '' for all), in ascending order of UTF-8 bytes. What others put there
   * under names that are no keys is passed over.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectDescription>;

  /** Removing what is not there succeeds. */
  remove(key: ObjectKey, options?: { readonly signal?: AbortSignal }): Promise<void>;

  /**
   * Frees what writers that died left unfinished (uploads, staged files) more than `olderThanMs` milliseconds ago. It is
   * visible to no other verb. A write under way that is older than that fails.
   * @param isOurs which keys, where others may write into the same store; by default all
   * @returns how many
   */
  sweepUnfinished?(olderThanMs: number, isOurs?: (key: ObjectKey) => boolean): Promise<number>;

  /** Frees connections and threads. The store must not be used afterwards. */
  close(): Promise<void>;
}
