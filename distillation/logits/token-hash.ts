/** Which tokens a row of logits is about: the first 16 bytes of the SHA-256 of the ids, as little-endian int32. */
import { createHash } from 'node:crypto';

export const tokenHashBytes = 16;

export const tokenHash = (ids: Int32Array): Buffer =>
  createHash('sha256')
    .update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength))
    .digest()
    .subarray(0, tokenHashBytes);

/** What a row is found by: its sample and its tokens. */
export const rowKey = (id: string, hash: Uint8Array): Buffer =>
  createHash('sha256').update(hash).update(id).digest().subarray(0, tokenHashBytes);
