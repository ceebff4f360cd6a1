/**
 * The bytes of a shard of tokenised samples, all little-endian, everything at multiples of 4:
 *
 *   'NSTOKENS', version u32, header length u32, header (JSON, padded with spaces)
 *   per sample: id bytes u32, tokens u32, spans u32, spans (start u32, end u32) …, ids (u16 or u32) …, id (UTF-8), padding;
 *     the highest bit of the count of spans says of a sample that it is a piece of a longer one: its id is `<that one>#<number>`
 *   index, per sample: offset u32, tokens u32, trained tokens u32
 *   samples u32, offset of the index u32, 'NSTOKEND'
 *
 * Nothing here reads or writes files. Damaged bytes give `token-shards-invalid`, never another error.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { areSpans, countTrained, type Sample, type Span } from './samples.js';

export const formatVersion = 1;
export const prefixBytes = 16;
export const indexEntryBytes = 12;
export const footerBytes = 16;
const maximumHeaderBytes = 64 * 1024;
const recordPrefixBytes = 12;
const spanBytes = 8;
const pieceBit = 2 ** 31;
const startMagic = 'NSTOKENS';
const endMagic = 'NSTOKEND';

export const shardHeaderSchema = z.object({
  tokenizerDigest: z.string(),
  templateDigest: z.string(),
  vocabularySize: z
    .int()
    .min(1)
    .max(2 ** 31),
  /** Bits of an id: 16 where the vocabulary allows it. */
  idBits: z.union([z.literal(16), z.literal(32)]),
});
export type ShardHeader = Readonly<z.output<typeof shardHeaderSchema>>;

export interface IndexEntry {
  readonly offset: number;
  readonly tokens: number;
  readonly trainedTokens: number;
}

export const invalidShard = (file: string, expected: string, found: string, cause?: unknown): NightstillError =>
  new NightstillError('token-shards-invalid', `${file}: expected ${expected}, found ${found}`, { cause });

export function encodeHeader(header: ShardHeader): Buffer {
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
  if (length % 4 === 0 && length <= maximumHeaderBytes) return length;
  throw invalidShard(file, `a header of at most ${maximumHeaderBytes} bytes`, `${length}`);
}

export function parseHeader(file: string, json: Buffer): ShardHeader {
  try {
    return shardHeaderSchema.parse(JSON.parse(json.toString('utf8')));
  } catch (cause) {
    throw invalidShard(file, 'a header', 'another text', cause);
  }
}

export function encodeSample({ id, pieceOf, ids, trained }: Sample, idBits: ShardHeader['idBits']): Buffer {
  const idText = Buffer.from(id, 'utf8');
  const idsOffset = recordPrefixBytes + spanBytes * trained.length;
  const idsBytes = (ids.length * idBits) / 8;
  const bytes = Buffer.alloc(Math.ceil((idsOffset + idsBytes + idText.length) / 4) * 4);
  bytes.writeUInt32LE(idText.length, 0);
  bytes.writeUInt32LE(ids.length, 4);
  bytes.writeUInt32LE(trained.length + (pieceOf === undefined ? 0 : pieceBit), 8);
  for (const [index, { start, end }] of trained.entries()) {
    bytes.writeUInt32LE(start, recordPrefixBytes + spanBytes * index);
    bytes.writeUInt32LE(end, recordPrefixBytes + spanBytes * index + 4);
  }
  for (const [index, token] of ids.entries())
    if (idBits === 16) bytes.writeUInt16LE(token, idsOffset + 2 * index);
    else bytes.writeUInt32LE(token, idsOffset + 4 * index);
  idText.copy(bytes, idsOffset + idsBytes);
  return bytes;
}

/** The sample in its bytes, which must be what the index says of it. */
export function decodeSample(file: string, bytes: Buffer, header: ShardHeader, entry: IndexEntry): Sample {
  const { idBits, vocabularySize } = header;
  const place = `${file} at byte ${entry.offset}`;
  if (bytes.length < recordPrefixBytes) throw invalidShard(place, 'a sample', `${bytes.length} bytes`);
  const [idBytes, tokens, marked] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8)];
  const isPiece = marked >= pieceBit;
  const spans = isPiece ? marked - pieceBit : marked;
  const idsOffset = recordPrefixBytes + spanBytes * spans;
  const idOffset = idsOffset + (tokens * idBits) / 8;
  if (Math.ceil((idOffset + idBytes) / 4) * 4 !== bytes.length || tokens !== entry.tokens)
    throw invalidShard(place, `${entry.tokens} tokens in ${bytes.length} bytes`, 'other counts');
  const trained = Array.from({ length: spans }, (_, index): Span => {
    const start = recordPrefixBytes + spanBytes * index;
    return { start: bytes.readUInt32LE(start), end: bytes.readUInt32LE(start + 4) };
  });
  if (!areSpans(trained, tokens) || countTrained(trained) !== entry.trainedTokens)
    throw invalidShard(place, `spans of ${entry.trainedTokens} trained tokens`, 'others');
  const ids = new Int32Array(tokens);
  for (let index = 0; index < tokens; index++) {
    const token = idBits === 16 ? bytes.readUInt16LE(idsOffset + 2 * index) : bytes.readUInt32LE(idsOffset + 4 * index);
    if (token >= vocabularySize) throw invalidShard(place, `token ids below ${vocabularySize}`, `${token}`);
    ids[index] = token;
  }
  const id = decodeId(place, bytes.subarray(idOffset, idOffset + idBytes));
  return { id, ...(isPiece && { pieceOf: wholeOf(place, id) }), ids, trained };
}

function wholeOf(place: string, id: string): string {
  const [, whole] = /^(.*)#\d+$/s.exec(id) ?? [];
  if (whole !== undefined) return whole;
  throw invalidShard(place, 'the id of a piece', 'another');
}

function decodeId(place: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalidShard(place, 'an id in UTF-8', 'other bytes', cause);
  }
}

export function encodeIndex(entries: readonly IndexEntry[], indexOffset: number): Buffer {
  const bytes = Buffer.alloc(entries.length * indexEntryBytes + footerBytes);
  for (const [index, { offset, tokens, trainedTokens }] of entries.entries()) {
    bytes.writeUInt32LE(offset, index * indexEntryBytes);
    bytes.writeUInt32LE(tokens, index * indexEntryBytes + 4);
    bytes.writeUInt32LE(trainedTokens, index * indexEntryBytes + 8);
  }
  const footer = entries.length * indexEntryBytes;
  bytes.writeUInt32LE(entries.length, footer);
  bytes.writeUInt32LE(indexOffset, footer + 4);
  bytes.write(endMagic, footer + 8, 'latin1');
  return bytes;
}

/** Where the index begins, from the last 16 bytes of a file of this size with this many samples. */
export function readIndexOffset(file: string, footer: Buffer, fileBytes: number, samples: number): number {
  if (footer.length !== footerBytes || footer.toString('latin1', 8) !== endMagic)
    throw invalidShard(file, endMagic, 'another end');
  const offset = footer.readUInt32LE(4);
  if (footer.readUInt32LE(0) === samples && offset + samples * indexEntryBytes + footerBytes === fileBytes)
    return offset;
  throw invalidShard(file, `an index of ${samples} samples`, 'another count or place');
}
