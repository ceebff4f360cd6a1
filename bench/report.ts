/** What every bench ends with: a table on the terminal and `bench/results/<name>.json`, as measured, met or not. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeMachine } from '../test/support/machine.js';

export interface Row {
  readonly work: string;
  readonly against: string;
  readonly ours: number;
  readonly theirs: number;
  readonly unit: string;
  /** Ours over theirs, whatever the unit: a goal of at least so much wants it large, a goal of at most so much small. */
  readonly ratio: number;
  readonly goal: string;
  readonly met: boolean;
}

export const rounded = (value: number): number => Number(value.toPrecision(4));

export const ratioOf = (ours: number, theirs: number): number => rounded(ours / theirs);

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

interface Result {
  readonly name: string;
  readonly machine: string;
  readonly date: string;
  readonly notes: readonly string[];
  readonly rows: readonly Row[];
  readonly details?: object;
}

const directory = join(import.meta.dirname, '..', '..', 'bench', 'results');
const today = (): string => new Date().toISOString().slice(0, 10);

/** @param details numbers behind the rows */
export async function report(
  name: string,
  notes: readonly string[],
  rows: readonly Row[],
  details?: object,
): Promise<void> {
  printRows(rows);
  await keep({ name, machine: describeMachine(), date: today(), notes, rows, ...(details && { details }) });
}

/** Rows that were measured again, after a change that touches no others, take the place of those before, with a note that says so. */
export async function reportAgain(name: string, how: string, rows: readonly Row[]): Promise<void> {
  printRows(rows);
  const before = JSON.parse(await readFile(fileOf(name), 'utf8')) as Result;
  if (before.machine !== describeMachine())
    throw new Error(`expected the machine of the other rows, ${before.machine}, found ${describeMachine()}`);
  const again = (row: Row) => rows.find(({ work, against }) => work === row.work && against === row.against);
  const replaced = before.rows.map((row) => again(row) ?? row);
  const strange = rows.find((row) => !replaced.includes(row));
  if (strange)
    throw new Error(`expected rows that were measured before, found ${strange.work} against ${strange.against}`);
  const works = [...new Set(rows.map(({ work }) => work))].join('; ');
  await keep({ ...before, notes: [...before.notes, `measured again on ${today()}, ${how}: ${works}`], rows: replaced });
}

const fileOf = (name: string): string => join(directory, `${name}.json`);

async function keep(result: Result): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(fileOf(result.name), `${JSON.stringify(result, null, 2)}\n`);
}

/** The table alone, for a run of which nothing is to be kept. */
export function printRows(rows: readonly Row[]): void {
  const columns = ['work', 'against', 'ours', 'theirs', 'unit', 'ratio', 'goal', 'met'] as const;
  const lines = [columns, ...rows.map((row) => columns.map((column) => String(row[column])))];
  for (const [index, line] of lines.entries()) {
    process.stdout.write(`| ${line.join(' | ')} |\n`);
    if (index === 0) process.stdout.write(`|${' --- |'.repeat(columns.length)}\n`);
  }
}
