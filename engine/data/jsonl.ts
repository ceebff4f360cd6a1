/**
 * JSONL, streamed: memory holds one chunk and one line. A byte order mark at the start is dropped, blank lines are passed over
 * but counted, a last line without a newline counts when it is a whole object. Bytes that are not UTF-8, lines that are no JSON
 * object (a line cut in half among them) and lines beyond the limit are refused with their number.
 */
import { createReadStream } from 'node:fs';
import { describe, invalidRow, isRecord, missingFile } from './row-errors.js';
import type { Row, RowRecord } from './row.js';

const chunkBytes = 1024 * 1024;
/** A row longer than this is a mistake of whoever wrote the file, not data. */
const maximumLineBytes = 16 * 1024 * 1024;
const maximumDepth = 100;
const newline = 0x0a;

/** @throws dataset-missing, dataset-row-invalid */
export async function* readJsonlRows(path: string): AsyncGenerator<Row> {
  yield* parseJsonlRows(readFile(path));
}

/**
 * The rows in the bytes of a JSONL file, however they are cut into chunks. Chunks may not be changed afterwards.
 * @param lineBytes the longest line that is allowed, in bytes.
 * @throws dataset-row-invalid
 */
export async function* parseJsonlRows(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  lineBytes = maximumLineBytes,
): AsyncGenerator<Row> {
  let number = 1;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  const keep = (bytes: Uint8Array) => {
    pending.push(bytes);
    pendingBytes += bytes.length;
    if (pendingBytes > lineBytes) throw invalidRow(number, `a line of at most ${lineBytes} bytes`, 'a longer one');
  };
  const take = (): Row | undefined => {
    const record = parseLine(Buffer.concat(pending), number);
    const row = record === undefined ? undefined : { number, record };
    number += 1;
    pending = [];
    pendingBytes = 0;
    return row;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      keep(chunk.subarray(start, end));
      const row = take();
      if (row !== undefined) yield row;
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  const last = take();
  if (last !== undefined) yield last;
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) yield chunk as Uint8Array;
  } catch (cause) {
    throw missingFile(path, cause);
  }
}

function parseLine(bytes: Uint8Array, number: number): RowRecord | undefined {
  const text = decode(bytes, number);
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidRow(number, 'a JSON object on one line', `${text.length} characters that are not JSON`);
  }
  if (!isRecord(value)) throw invalidRow(number, 'a JSON object', describe(value));
  refuseDepth(value, number);
  return value;
}

function decode(bytes: Uint8Array, number: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: number > 1 }).decode(bytes);
  } catch {
    throw invalidRow(number, 'UTF-8', 'bytes that are not');
  }
}

/** Nobody nests this deep by intent, and what walks a record may recurse. */
function refuseDepth(value: unknown, number: number, depth = 1): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > maximumDepth) throw invalidRow(number, `at most ${maximumDepth} levels of nesting`, 'more');
  for (const member of Object.values(value)) refuseDepth(member, number, depth + 1);
}
