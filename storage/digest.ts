/** SHA-256 digests, the names of everything immutable. Large byte arrays are hashed off the main thread: `hashing.ts`. */
import { createHash } from 'node:crypto';
import { NightstillError } from '../config/errors.js';

declare const digestBrand: unique symbol;

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}` & { readonly [digestBrand]: true };

const pattern = /^sha256:[0-9a-f]{64}$/;

export const isDigest = (text: string): text is Digest => pattern.test(text);

/** @throws record-invalid when the text is no digest. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new NightstillError('record-invalid', `expected sha256: and 64 hex digits, found "${text.slice(0, 80)}"`);
}

/** The 64 hex digits alone, as they stand in keys. */
export const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);

/** Synchronous: for records and keys, up to about a mebibyte. */
export function digestOf(content: Uint8Array | string): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(content).digest('hex')}`);
}
