/** The errors of files and rows, and how a value is described in them: its type, nothing of its content. */
import { NightstillError } from '../../config/errors.js';
import type { RowRecord } from './row.js';

/** A value of a row is not what it must be. `row` is counted as in `Row`. */
export const invalidRow = (row: number, expected: string, found: string): NightstillError =>
  new NightstillError('dataset-row-invalid', `row ${row}: expected ${expected}, found ${found}`, { details: { row } });

export const invalidFile = (path: string, expected: string, found: string, cause?: unknown): NightstillError =>
  new NightstillError('dataset-file-invalid', `${path}: expected ${expected}, found ${found}`, { cause });

export const missingFile = (path: string, cause: unknown): NightstillError =>
  new NightstillError('dataset-missing', `${path}: expected a file, found none that can be read`, { cause });

export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** The names of a record's fields, few and short enough for a message. */
export function describeFields(record: RowRecord): string {
  const names = Object.keys(record);
  const shown = names.slice(0, 8).map((name) => name.slice(0, 40));
  return names.length === 0 ? 'no field' : shown.join(', ') + (names.length > shown.length ? ' …' : '');
}

export const isRecord = (value: unknown): value is RowRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
