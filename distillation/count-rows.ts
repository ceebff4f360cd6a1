/**
 * How many rows an import of a dataset would find, where counting is cheap: the dataset is small, readable and near. Rows that two of
 * its files share are counted twice, so this is the most that an import can find.
 */
import type { DatasetOption } from '../config/dataset-schema.js';
import { openDataset, type DatasetFiles } from './dataset-files.js';
import type { UnnamedRow } from './row.js';
import { readSourceRows } from './source-rows.js';

export interface CheapCount {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** Is shown each row, and where it stands in its file: `line 3`. */
type Look = (row: UnnamedRow, place: string) => void;

/** @returns undefined where counting is not cheap or not possible; the import tells why */
export async function countRows(
  option: DatasetOption,
  atMost: CheapCount,
  look: Look = () => undefined,
): Promise<number | undefined> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), atMost.milliseconds);
  const tooLate = new Promise<undefined>((resolve) => {
    deadline.signal.addEventListener('abort', () => resolve(undefined));
  });
  try {
    return await Promise.race([count(option, { atMost, look, signal: deadline.signal }), tooLate]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

interface Counting {
  readonly atMost: CheapCount;
  readonly look: Look;
  readonly signal: AbortSignal;
}

async function count(option: DatasetOption, counting: Counting): Promise<number | undefined> {
  const dataset = await openDataset(option);
  try {
    return await countFiles(dataset, counting);
  } finally {
    await dataset.close();
  }
}

async function countFiles(dataset: DatasetFiles, { atMost, look, signal }: Counting): Promise<number | undefined> {
  const files = dataset.open(await dataset.identify());
  if (files.reduce((sum, { identity }) => sum + identity.bytes, 0) > atMost.bytes) return undefined;
  let rows = 0;
  for (const file of files)
    for await (const batch of readSourceRows(file, { offset: 0, line: 0 })) {
      if (signal.aborted) return undefined;
      for (const { row, unit, end } of batch.rows) {
        if (row === undefined) continue;
        rows += 1;
        look(row, `${unit} ${end.line}`);
      }
    }
  return rows;
}
