/**
 * The rows of one file of a dataset, from a place in it: JSONL from a byte, Parquet (by the ending `.parquet`) from a row. Each row
 * comes with the place behind it, from which reading can go on. Memory holds a chunk, or a row group.
 */
import { readParquetGroups } from '../engine/files/index.js';
import type { DatasetFile } from './dataset-files.js';
import { tableFile } from './dataset-places.js';
import { LineSplitter, type LinePosition } from './lines.js';
import { parseRow, rowOfRecord, type RowUnit, type UnnamedRow } from './row.js';

export interface PlacedRow {
  /** Undefined for a blank line. */
  readonly row: UnnamedRow | undefined;
  readonly unit: RowUnit;
  readonly end: LinePosition;
}

/** Rows that were read together. Go through them before asking for the next batch. */
export interface RowBatch {
  readonly rows: Iterable<PlacedRow>;
  /** Of the file, that were read for it. */
  readonly bytes: number;
}

/** @throws dataset-row-invalid, dataset-file-invalid, dataset-changed, dataset-missing */
export const readSourceRows = (file: DatasetFile, from: LinePosition): AsyncIterable<RowBatch> =>
  tableFile.test(file.name ?? new URL(file.identity.uri).pathname) ? tableRows(file, from) : textRows(file, from);

async function* textRows({ source, identity }: DatasetFile, from: LinePosition): AsyncGenerator<RowBatch> {
  const lines = new LineSplitter(from);
  for await (const chunk of source.read(identity, from.offset))
    yield { rows: placed(lines.push(chunk)), bytes: chunk.length };
  yield { rows: placed(lines.end()), bytes: 0 };
}

function* placed(lines: ReturnType<LineSplitter['push']>): Generator<PlacedRow> {
  for (const line of lines) yield { row: parseRow(line), unit: 'line', end: { offset: line.end, line: line.number } };
}

async function* tableRows({ source, identity, name }: DatasetFile, from: LinePosition): AsyncGenerator<RowBatch> {
  const read = async (start: number, end: number): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(new ArrayBuffer(end - start));
    let at = 0;
    for await (const chunk of source.read(identity, start, end)) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes.buffer.slice(0, at);
  };
  const file = { name: name ?? identity.uri, bytes: identity.bytes, read };
  for await (const { rows, bytes } of readParquetGroups(file, from.line)) yield { rows: recordRows(rows), bytes };
}

/** A row of a table ends at no byte of its own, so places in a table are row numbers. */
function* recordRows(rows: readonly { readonly number: number; readonly record: object }[]): Generator<PlacedRow> {
  for (const { number, record } of rows)
    yield { row: rowOfRecord(record, number), unit: 'row', end: { offset: 0, line: number } };
}
