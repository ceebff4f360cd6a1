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

/** A row group is decoded at once; writers make them of 1 MiB to 1 GiB. */
const maximumRowGroupBytes = 2 ** 31;

/** @throws dataset-missing, dataset-file-invalid */
export async function* readParquetRows(path: string): AsyncGenerator<Row> {
  const handle = await open(path).catch((cause: unknown) => {
    throw missingFile(path, cause);
  });
  try {
    const file = await bufferOf(handle);
    const metadata = await refuseDamage(path, () => parquetMetadataAsync(file));
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rows = groupRows(path, group);
      const rowEnd = rowStart + rows;
      const records: RowRecord[] = await refuseDamage(path, () =>
        parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors: compressors() }),
      );
      if (records.length !== rows) throw invalidFile(path, `${rows} rows in a row group`, `${records.length}`);
      for (const [index, record] of records.entries()) yield { number: rowStart + index + 1, record: plain(record) };
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    slice: async (start, end = size) => {
      const bytes = new ArrayBuffer(Math.max(0, Math.min(end, size) - start));
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
  if (Number.isSafeInteger(rows) && rows >= 0 && rows <= maximumRowGroupBytes) return rows;
  throw invalidFile(path, 'a count of rows', `${rows}`);
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
    GZIP: (input, outputLength) => zlib.gunzipSync(input, { maxOutputLength: Math.max(1, outputLength) }),
    BROTLI: (input, outputLength) => zlib.brotliDecompressSync(input, { maxOutputLength: Math.max(1, outputLength) }),
    ...(hasZstd(library) ? { ZSTD: (input) => library.zstdDecompressSync(input) } : {}),
  };
}

/** Node 22.15 and later have it; the types are those of the oldest Node. */
const hasZstd = (library: object): library is { readonly zstdDecompressSync: (input: Uint8Array) => Uint8Array } =>
  'zstdDecompressSync' in library && typeof library.zstdDecompressSync === 'function';

const plain = (record: RowRecord): RowRecord =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, plainValue(value)]));

function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(plainValue);
  return isRecord(value) && Object.getPrototypeOf(value) === Object.prototype ? plain(value) : value;
}
