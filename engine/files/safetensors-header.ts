/**
 * The header of a safetensors file: 8 bytes of length, JSON, then the bytes of all tensors without gap or overlap. Files come
 * from strangers: whatever does not fit together exactly is refused, with the tensor named where there is one.
 *
 * Source: the format's description and the checks of its Rust implementation (github.com/huggingface/safetensors), to which
 * duplicate names are added.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { findDuplicateOrDepth } from './header-keys.js';
import { elementBytes, isNumberFormat, type NumberFormat } from './number-formats.js';

export interface TensorDescription {
  readonly dtype: NumberFormat;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface TensorPlace extends TensorDescription {
  /** From the beginning of the file. */
  readonly offset: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorPlace>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes that precede the header: its length. */
export const prefixBytes = 8;

/** As in the Rust implementation. */
export const maximumHeaderBytes = 100_000_000;

/** The header's own object, one per tensor, the arrays in it. */
const maximumDepth = 3;

const count = z.int().min(0);
const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(count),
  data_offsets: z.tuple([count, count]),
});

/** @throws safetensors-invalid when no header of this length can be in a file of this size. */
export function headerBytes(prefix: Uint8Array, fileBytes: number, source: string): number {
  if (prefix.byteLength < prefixBytes)
    throw invalidFile(source, `a length of 8 bytes, found a file of ${prefix.byteLength}`);
  const declared = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (declared > BigInt(maximumHeaderBytes))
    throw invalidFile(source, `a header of at most ${maximumHeaderBytes} bytes, found ${declared}`);
  const bytes = Number(declared);
  if (prefixBytes + bytes > fileBytes)
    throw invalidFile(source, `a header of ${bytes} bytes, found a file of ${fileBytes}`);
  return bytes;
}

/** @throws safetensors-invalid */
export function parseHeader(header: Uint8Array, fileBytes: number, source: string): SafetensorsHeader {
  const entries = Object.entries(parseObject(header, source));
  const dataStart = prefixBytes + header.byteLength;
  const tensors = new Map<string, TensorPlace>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, entry] of entries) {
    if (name === '__metadata__') metadata = metadataOf(entry, source);
    else tensors.set(name, placeOf(name, entry, dataStart, source));
  }
  checkCover(tensors, dataStart, fileBytes, source);
  return { tensors, metadata };
}

/** Copied field by field: a name such as `__proto__` is one like any other. */
function metadataOf(entry: unknown, source: string): Readonly<Record<string, string>> {
  if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) {
    const facts: [string, unknown][] = Object.entries(entry);
    if (facts.every((fact): fact is [string, string] => typeof fact[1] === 'string')) return Object.fromEntries(facts);
  }
  throw invalidFile(source, '__metadata__ of texts only');
}

function parseObject(header: Uint8Array, source: string): object {
  if (header[0] !== '{'.charCodeAt(0)) throw invalidFile(source, 'a header that begins with {');
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
    const wrong = findDuplicateOrDepth(text, maximumDepth);
    if (wrong !== undefined) throw invalidFile(source, `a header with each name once, found ${wrong}`);
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch (cause) {
    if (cause instanceof NightstillError) throw cause;
    throw invalidFile(source, 'a header of JSON in UTF-8', cause);
  }
  throw invalidFile(source, 'a header that is an object');
}

function placeOf(name: string, entry: unknown, dataStart: number, source: string): TensorPlace {
  const parsed = entrySchema.safeParse(entry);
  const quoted = JSON.stringify(name);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalidFile(source, `dtype, shape and data_offsets of ${quoted}: ${issue?.path.join('.')} ${issue?.message}`);
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  if (!isNumberFormat(dtype))
    throw new NightstillError(
      'model-unsupported',
      `${source}: tensor ${quoted} is of dtype ${dtype.slice(0, 20)}; known are ${Object.keys(elementBytes).join(', ')}.`,
    );
  const [begin, end] = offsets;
  const bytes = shape.reduce((product, size) => product * size, elementBytes[dtype]);
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes)
    throw invalidFile(source, `${bytes} bytes for ${quoted} (${dtype} [${shape.join(', ')}]), found ${end - begin}`);
  return { dtype, shape, bytes, offset: dataStart + begin };
}

/** Every byte behind the header belongs to exactly one tensor. */
function checkCover(tensors: ReadonlyMap<string, TensorPlace>, dataStart: number, fileBytes: number, source: string) {
  const places = [...tensors].toSorted(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  let end = dataStart;
  for (const [name, { offset, bytes }] of places) {
    if (offset !== end)
      throw invalidFile(
        source,
        `${JSON.stringify(name)} to begin at ${end - dataStart}, found ${offset - dataStart}: ` +
          (offset > end ? 'a hole' : 'an overlap'),
      );
    end += bytes;
  }
  if (end !== fileBytes) throw invalidFile(source, `a file of ${end} bytes, found ${fileBytes}`);
}

export const invalidFile = (source: string, expected: string, cause?: unknown): NightstillError =>
  new NightstillError('safetensors-invalid', `${source}: expected ${expected}.`, { cause });
