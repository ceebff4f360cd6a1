/**
 * The bytes of a shard of logits, all little-endian:
 *
 *   'NSLOGITS', version u32, header length u32, header (JSON, padded with spaces)
 *   per row: id bytes u32, tokens u32, token hash (16 bytes), id (UTF-8), ids (packed), gaps [P, K−1], missing log odds [P] …
 *   index, per row: key (16 bytes), offset u32, bytes u32
 *   rows u32, offset of the index u32, 'NSLOGITE'
 *
 * The gap of the first id is always 0 and not written. At K = 10, 18-bit ids, float16 and one temperature a position takes 42.5
 * bytes. Nothing here reads or writes files. Damaged bytes give `artifact-invalid`, never another error.
 */
import { NightstillError } from '../../config/errors.js';
import { narrow, widen } from '../../engine/files/index.js';
import { logitHeaderSchema, type LogitHeader } from './header.js';
import { idBitsOf, packedBytes, packIds, unpackIds } from './packed-ids.js';
import type { LogitRow } from './row.js';
import { rowKey, tokenHash, tokenHashBytes } from './token-hash.js';

const formatVersion = 1;
export const prefixBytes = 16;
export const footerBytes = 16;
const indexEntryBytes = tokenHashBytes + 8;
const rowPrefixBytes = 8 + tokenHashBytes;
const maximumHeaderBytes = 64 * 1024;
const startMagic = 'NSLOGITS';
const endMagic = 'NSLOGITE';

export const invalidShard = (file: string, expected: string, found: string, cause?: unknown): NightstillError =>
  new NightstillError('artifact-invalid', `${file}: expected ${expected}, found ${found}`, { cause });

export function encodeHeader(header: LogitHeader): Buffer {
  const json = JSON.stringify(header);
  const length = Math.ceil(Buffer.byteLength(json) / 4) * 4;
  const bytes = Buffer.alloc(prefixBytes + length, ' ');
  bytes.write(startMagic, 0, 'latin1');
  bytes.writeUInt32LE(formatVersion, 8);
  bytes.writeUInt32LE(length, 12);
  bytes.write(json, prefixBytes);
  return bytes;
}

/** Bytes of the header behind the first 16, which are given. */
export function headerLength(file: string, prefix: Buffer): number {
  if (prefix.length < prefixBytes || prefix.toString('latin1', 0, 8) !== startMagic)
    throw invalidShard(file, startMagic, 'another beginning');
  const version = prefix.readUInt32LE(8);
  if (version !== formatVersion) throw invalidShard(file, `version ${formatVersion}`, `${version}`);
  const length = prefix.readUInt32LE(12);
  if (length <= maximumHeaderBytes) return length;
  throw invalidShard(file, `a header of at most ${maximumHeaderBytes} bytes`, `${length}`);
}

export function parseHeader(file: string, json: Buffer): LogitHeader {
  try {
    return logitHeaderSchema.parse(JSON.parse(json.toString('utf8')));
  } catch (cause) {
    throw invalidShard(file, 'a header', 'another text', cause);
  }
}

/** Where a row lies in its shard, and by what it is found. */
export interface IndexEntry {
  readonly key: Buffer;
  readonly offset: number;
  readonly bytes: number;
}

export function encodeIndex(entries: readonly IndexEntry[], indexOffset: number): Buffer {
  const bytes = Buffer.alloc(entries.length * indexEntryBytes + footerBytes);
  for (const [index, entry] of entries.entries()) {
    entry.key.copy(bytes, index * indexEntryBytes);
    bytes.writeUInt32LE(entry.offset, index * indexEntryBytes + tokenHashBytes);
    bytes.writeUInt32LE(entry.bytes, index * indexEntryBytes + tokenHashBytes + 4);
  }
  const footer = entries.length * indexEntryBytes;
  bytes.writeUInt32LE(entries.length, footer);
  bytes.writeUInt32LE(indexOffset, footer + 4);
  bytes.write(endMagic, footer + 8, 'latin1');
  return bytes;
}

/** Where the index begins, from the last 16 bytes of a file of this size. */
export function readIndexOffset(file: string, footer: Buffer, fileBytes: number): number {
  if (footer.length !== footerBytes || footer.toString('latin1', 8) !== endMagic)
    throw invalidShard(file, endMagic, 'another end');
  const [rows, offset] = [footer.readUInt32LE(0), footer.readUInt32LE(4)];
  if (offset + rows * indexEntryBytes + footerBytes === fileBytes) return offset;
  throw invalidShard(file, `an index of ${rows} rows at its end`, `${fileBytes - offset} bytes behind byte ${offset}`);
}

/** @param index the bytes between the rows and the footer. */
export function decodeIndex(file: string, index: Buffer, indexOffset: number): IndexEntry[] {
  return Array.from({ length: index.length / indexEntryBytes }, (_, row) => {
    const at = row * indexEntryBytes;
    const offset = index.readUInt32LE(at + tokenHashBytes);
    const bytes = index.readUInt32LE(at + tokenHashBytes + 4);
    if (offset + bytes > indexOffset) throw invalidShard(file, `row ${row} before the index`, 'it behind');
    return { key: index.subarray(at, at + tokenHashBytes), offset, bytes };
  });
}

const narrowFormats = { float32: 'F32', float16: 'F16' } as const;
const valueBytes = { float32: 4, float16: 2 } as const;

export function encodeRow({ id, ids, topIds, gaps, missingLogOdds }: LogitRow, header: LogitHeader) {
  const { k, valueType, vocabularySize } = header;
  const hash = tokenHash(ids);
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(Buffer.byteLength(id), 0);
  prefix.writeUInt32LE(ids.length, 4);
  const written = gaps.filter((_, entry) => entry % k !== 0);
  const values = [written, ...missingLogOdds.map((odds) => Float32Array.from(odds))].map((array) =>
    narrow(array, narrowFormats[valueType]),
  );
  const bytes = Buffer.concat([prefix, hash, Buffer.from(id), packIds(topIds, idBitsOf(vocabularySize)), ...values]);
  return { key: rowKey(id, hash), bytes };
}

/** What a row holds beside its sample and its tokens. */
export interface StoredDistributions {
  /** P: one fewer than the tokens. */
  readonly positions: number;
  /** [P, K] */
  readonly topIds: Int32Array;
  /** [P, K−1]: of all ids but the first. */
  readonly gaps: Float32Array;
  /** [P] for each temperature. */
  readonly missingLogOdds: readonly Float32Array[];
}

/** The row in its bytes, which must be about these tokens of this sample. */
export function decodeRow(
  place: string,
  bytes: Buffer,
  header: LogitHeader,
  sample: { readonly id: string; readonly ids: Int32Array },
): StoredDistributions {
  const { k, temperatures, valueType, vocabularySize } = header;
  const idBits = idBitsOf(vocabularySize);
  const id = Buffer.from(sample.id);
  const positions = sample.ids.length - 1;
  const idsOffset = rowPrefixBytes + id.length;
  const valuesOffset = idsOffset + packedBytes(positions * k, idBits);
  const values = positions * (k - 1 + temperatures.length);
  if (bytes.length !== valuesOffset + values * valueBytes[valueType])
    throw invalidShard(place, `${positions} distributions`, `${bytes.length} bytes`);
  const isIt =
    bytes.readUInt32LE(0) === id.length &&
    bytes.readUInt32LE(4) === sample.ids.length &&
    tokenHash(sample.ids).equals(bytes.subarray(8, rowPrefixBytes)) &&
    id.equals(bytes.subarray(rowPrefixBytes, idsOffset));
  if (!isIt) throw invalidShard(place, 'the sample that its key says', 'another');
  const read = new Float32Array(values);
  widen(new Uint8Array(bytes.subarray(valuesOffset)), narrowFormats[valueType], read);
  const gaps = positions * (k - 1);
  return {
    positions,
    topIds: unpackIds(bytes.subarray(idsOffset, valuesOffset), positions * k, idBits),
    gaps: read.subarray(0, gaps),
    missingLogOdds: temperatures.map((_, at) => read.subarray(gaps + at * positions, gaps + (at + 1) * positions)),
  };
}
