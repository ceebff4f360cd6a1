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
  /** Aborted: the time for it is over, and what was asked for it ends. */
  readonly deadline: AbortSignal;
}

/** Is shown each row, and where it stands in its file: `line 3`. */
type Look = (row: UnnamedRow, place: string) => void;

/** @returns undefined where counting is not cheap or not possible; the import tells why */
export async function countRows(
  option: DatasetOption,
  atMost: CheapCount,
  look: Look = () => undefined,
): Promise<number | undefined> {
  const { deadline } = atMost;
  if (deadline.aborted) return undefined;
  let endWait = (): void => undefined;
  // A file system that hangs hears of no signal.
  const tooLate = new Promise<undefined>((resolve) => (endWait = () => resolve(undefined)));
  deadline.addEventListener('abort', endWait);
  try {
    return await Promise.race([count(option, atMost, look), tooLate]);
  } catch {
    return undefined;
  } finally {
    deadline.removeEventListener('abort', endWait);
  }
}

async function count(option: DatasetOption, atMost: CheapCount, look: Look): Promise<number | undefined> {
  const dataset = await openDataset(option, { signal: atMost.deadline });
  try {
    return await countFiles(dataset, atMost, look);
  } finally {
    await dataset.close();
  }
}

async function countFiles(
  dataset: DatasetFiles,
  { bytes, deadline }: CheapCount,
  look: Look,
): Promise<number | undefined> {
  const files = dataset.open(await dataset.identify());
  if (files.reduce((sum, { identity }) => sum + identity.bytes, 0) > bytes) return undefined;
  let rows = 0;
  for (const file of files)
    for await (const batch of readSourceRows(file, { offset: 0, line: 0 })) {
      if (deadline.aborted) return undefined;
      for (const { row, unit, end } of batch.rows) {
        if (row === undefined) continue;
        rows += 1;
        look(row, `${unit} ${end.line}`);
      }
    }
  return rows;
}
