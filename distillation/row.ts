/**
 * One row of a dataset in the one form that all later stages read: `{ id, messages, extra? }`, whatever form it came in.
 * Keys that the form does not know are kept in `extra`. Numbers are JavaScript numbers: integers beyond 2^53 lose digits.
 * Messages of errors name lines, keys and types, never text of a row: they end in histories and logs.
 */
import { createHash } from 'node:crypto';
import { NightstillError } from '../config/errors.js';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../storage/index.js';
import { describe, Mismatch, readConversation, type Conversation } from './chat-forms.js';
import type { Line } from './lines.js';

/** A row before it has its id: `givenId` is the one that the file gives, if any. */
export interface UnnamedRow extends Conversation {
  readonly givenId?: string;
}

/** What the rows of a dataset look like. Raised together with the version of the stage kinds that make one. */
export const rowFormat = 'nightstill-messages-1';

const maximumIdLength = 512;
const maximumDepth = 100;

/**
 * The row that stands on a line, or undefined when the line is blank.
 * @throws dataset-row-invalid with the line, what was expected and what was found
 */
export function parseRow(line: Line): UnnamedRow | undefined {
  try {
    const text = decode(line.bytes);
    return text.trim() === '' ? undefined : readRow(parse(text));
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw invalidRow(line.number, error.expected, error.found);
  }
}

/**
 * The row that a record of a table is: its columns are in all records, so one without a value is one that the row does not have.
 * @throws dataset-row-invalid
 */
export function rowOfRecord(record: object, number: number): UnnamedRow {
  try {
    const row = withoutNulls(record);
    refuseUnwritable(row);
    return readRow(row as JsonObject);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw invalidRow(number, error.expected, error.found, 'row');
  }
}

function withoutNulls(value: unknown, path = ''): Json {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  if (Array.isArray(value))
    return value.map((item, index) => (item === null ? null : withoutNulls(item, `${path}[${index}]`)));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    throw new Mismatch(`${path}: text, numbers, dates, lists or groups`, 'bytes or another type');
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(
    members.map(([name, member]) => [name, withoutNulls(member, path === '' ? name : `${path}.${name}`)]),
  );
}

export const invalidRow = (line: number, expected: string, found: string, unit: RowUnit = 'line'): NightstillError =>
  new NightstillError('dataset-row-invalid', `${unit} ${line}: expected ${expected}, found ${found}`, {
    details: { [unit]: line },
  });

/** What rows are counted by: those of a text by its lines. */
export type RowUnit = 'line' | 'row';

/** The id of a row that was given none: the same content has the same id in every file. 32 hex digits. */
export function contentId(row: UnnamedRow): string {
  return createHash('sha256')
    .update(canonicalJson(bodyOf(row)))
    .digest('hex')
    .slice(0, 32);
}

/** The row as one line of normalised JSONL, with its newline. */
export const rowText = (id: string, row: UnnamedRow): string => `${canonicalJson({ id, ...bodyOf(row) })}\n`;

const bodyOf = ({ messages, extra }: UnnamedRow): JsonObject => ({
  messages: messages.map((message) => ({ ...message })),
  ...(extra === undefined ? {} : { extra }),
});

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Mismatch('UTF-8', 'bytes that are not');
  }
}

function parse(text: string): JsonObject {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    throw new Mismatch('a JSON object', `${text.length} characters that are not JSON`);
  }
  if (!isJsonObject(value)) throw new Mismatch('a JSON object', describe(value));
  refuseUnwritable(value);
  return value;
}

/** `1e999` is JSON, but no number that can be written again; and nobody nests this deep by intent. */
function refuseUnwritable(value: Json | undefined, depth = 1): void {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Mismatch('numbers below 1.8e308', 'a greater one');
  if (typeof value !== 'object' || value === null) return;
  if (depth > maximumDepth) throw new Mismatch(`at most ${maximumDepth} levels of nesting`, 'more');
  for (const member of Object.values(value)) refuseUnwritable(member, depth + 1);
}

function readRow(object: JsonObject): UnnamedRow {
  const { id, ...rest } = object;
  const givenId = readId(id);
  const conversation = readConversation(rest);
  return givenId === undefined ? conversation : { givenId, ...conversation };
}

function readId(id: Json | undefined): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id);
  if (typeof id === 'string' && id !== '' && id.length <= maximumIdLength) return id;
  throw new Mismatch(`id: a text of 1 to ${maximumIdLength} characters, or an integer below 2^53`, describe(id));
}
