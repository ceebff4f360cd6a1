/**
 * Parquet, row group by row group: memory holds one decoded row group, however large the file is. Uncompressed, snappy, gzip,
 * brotli and (where this Node has it) zstd. Integers of 64 bits become numbers where they are exact, texts where they are not.
 * A damaged file is refused by a code, whatever its bytes provoke in the reader.
 */
import * as zlib from 'node:zlib';
import { open, type FileHandle } from 'node:fs/promises';
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer, type Compressors } from 'hyparquet';
import { hasCode } from '../../config/errors.js';
import { invalidFile, isRecord, missingFile } from './row-errors.js';
import type { Row, RowRecord } from './row.js';

/** A row group is decoded at once; writers make them of 1 MiB to 1 GiB, and of a million rows. */
const maximumRowGroupBytes = 2 ** 31;
const maximumRowGroupRows = 2 ** 24;

/** Bytes that can be read from anywhere: a local file, an object. */
export interface ParquetFile {
  /** Stands in messages. */
  readonly name: string;
  readonly bytes: number;
  /** The bytes from `start` up to, not including, `end`; what it throws with a code is handed on. */
  read(start: number, end: number): Promise<ArrayBuffer>;
}

export interface ParquetRowGroup {
  readonly rows: readonly Row[];
  /** As the file holds them, compressed. */
  readonly bytes: number;
}

/** @throws dataset-missing, dataset-file-invalid */
export async function* readParquetRows(path: string): AsyncGenerator<Row> {
  const handle = await open(path).catch((cause: unknown) => {
    throw missingFile(path, cause);
  });
  try {
    for await (const { rows } of readParquetGroups(await localFile(path, handle))) yield* rows;
  } finally {
    await handle.close();
  }
}

/**
 * The rows behind the first `skipped` ones. Row groups that lie before them are not read.
 * @throws dataset-file-invalid, and what reading the file throws
 */
export async function* readParquetGroups(source: ParquetFile, skipped = 0): AsyncGenerator<ParquetRowGroup> {
  const { name, bytes: byteLength } = source;
  const file: AsyncBuffer = {
    byteLength,
    slice: (start, end = byteLength) => source.read(start, Math.max(start, Math.min(end, byteLength))),
  };
  const metadata = await refuseDamage(name, () => parquetMetadataAsync(file));
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rows = groupRows(name, group);
    const rowEnd = rowStart + rows;
    if (rowEnd > skipped) {
      const start = rowStart;
      const records: RowRecord[] = await refuseDamage(name, () =>
        parquetReadObjects({ file, metadata, rowStart: start, rowEnd, compressors: compressors() }),
      );
      if (records.length !== rows) throw invalidFile(name, `${rows} rows in a row group`, `${records.length}`);
      const numbered = records.map((record, index) => ({ number: start + index + 1, record: plain(record) }));
      yield {
        rows: numbered.slice(Math.max(0, skipped - start)),
        bytes: Number(group.total_compressed_size ?? group.total_byte_size),
      };
    }
    rowStart = rowEnd;
  }
}

async function localFile(name: string, handle: FileHandle): Promise<ParquetFile> {
  const { size } = await handle.stat();
  return {
    name,
    bytes: size,
    read: async (start, end) => {
      const bytes = new ArrayBuffer(end - start);
      const { bytesRead } = await handle.read(new Uint8Array(bytes), 0, bytes.byteLength, start);
      return bytesRead === bytes.byteLength ? bytes : bytes.slice(0, bytesRead);
    },
  };
}
function groupRows(path: string, group: { readonly num_rows: bigint; readonly total_byte_size: bigint }): number {
  const bytes = Number(group.total_byte_size);
  if (!(bytes >= 0 && bytes <= maximumRowGroupBytes))
    throw invalidFile(path, `row groups of at most ${maximumRowGroupBytes} bytes`, `one of ${bytes}`);
  const rows = Number(group.num_rows);
  if (rows >= 0 && rows <= maximumRowGroupRows) return rows;
  throw invalidFile(path, `row groups of at most ${maximumRowGroupRows} rows`, `one of ${rows}`);
}

/** The reader trusts its bytes: what they make it throw (a RangeError, a TypeError …) means that they are damaged. */
async function refuseDamage<Result>(path: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    if (hasCode(cause)) throw cause;
    throw invalidFile(path, 'a Parquet file', cause instanceof Error ? cause.message : 'something else', cause);
  }
}

function compressors(): Compressors {
  const library: object = zlib;
  return {
    GZIP: (input, outputLength) => zlib.gunzipSync(input, atMost(outputLength)),
    BROTLI: (input, outputLength) => zlib.brotliDecompressSync(input, atMost(outputLength)),
    ...(hasZstd(library)
      ? { ZSTD: (input, outputLength) => library.zstdDecompressSync(input, atMost(outputLength)) }
      : {}),
  };
}

/** What a page says of its size binds it: no small page becomes a large memory. */
const atMost = (bytes: number): { maxOutputLength: number } => ({ maxOutputLength: Math.max(1, bytes) });

interface Zstd {
  readonly zstdDecompressSync: (input: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array;
}

/** Node 22.15 and later have it; the types are those of the oldest Node. */
const hasZstd = (library: object): library is Zstd =>
  'zstdDecompressSync' in library && typeof library.zstdDecompressSync === 'function';

const plain = (record: RowRecord): RowRecord =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, plainValue(value)]));

function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(plainValue);
  return isRecord(value) && Object.getPrototypeOf(value) === Object.prototype ? plain(value) : value;
}
