/** What every bench ends with: a table on the terminal and `bench/results/<name>.json`, as measured, met or not. */
import { mkdir, writeFile } from 'node:fs/promises';
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

/** @param details numbers behind the rows */
export async function report(
  name: string,
  notes: readonly string[],
  rows: readonly Row[],
  details?: object,
): Promise<void> {
  printRows(rows);
  const directory = join(import.meta.dirname, '..', '..', 'bench', 'results');
  await mkdir(directory, { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  const result = { name, machine: describeMachine(), date, notes, rows, ...(details && { details }) };
  await writeFile(join(directory, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
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
