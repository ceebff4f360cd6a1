/**
 * Rows of a dataset in a local file, as plain records, one after another. Which reader is used follows from the ending of the
 * file: `.jsonl`, `.ndjson` or `.parquet`. A row knows its number, and errors name it; they never quote text of a row. What a
 * record means is decided elsewhere (`conversations.ts`).
 */
import { extname } from 'node:path';
import { NightstillError } from '../../config/errors.js';
import { readJsonlRows } from './jsonl.js';
import { readParquetRows } from './parquet.js';
import type { Row } from './row.js';

type Reader = (path: string) => AsyncIterable<Row>;

const readers: Readonly<Record<string, Reader>> = {
  '.jsonl': readJsonlRows,
  '.ndjson': readJsonlRows,
  '.parquet': readParquetRows,
};

/**
 * The rows of a local file, from the first to the last.
 * @throws dataset-missing, dataset-row-invalid, dataset-file-invalid
 */
export function readRows(path: string): AsyncIterable<Row> {
  const reader = readers[extname(path).toLowerCase()];
  if (reader !== undefined) return reader(path);
  throw new NightstillError(
    'dataset-file-invalid',
    `${path}: expected a name that ends in ${Object.keys(readers).join(', ')}, found '${extname(path)}'`,
  );
}
