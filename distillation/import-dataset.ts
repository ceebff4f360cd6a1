/**
 * Reads a dataset into an artifact of normalised shards, going on from the last checkpoint. The artifact depends on the
 * bytes of the files, their order and names, and the shard size alone: not on interruptions, nor on when checkpoints were taken.
 * Checkpoints lie at the ends of shards; rows behind the last one are read again.
 */
import { hasCode, NightstillError } from '../config/errors.js';
import type { ArtifactRef } from '../storage/index.js';
import { confirmUnchanged } from './dataset-source.js';
import type { DatasetFile } from './dataset-files.js';
import { ImportWork, type ImportWorkRequest } from './import-work.js';
import { rowFormat } from './row.js';
import { readSourceRows } from './source-rows.js';

export interface ImportRequest extends ImportWorkRequest {
  /** In the versions that are to be imported, any other is refused, and in this order. */
  readonly files: readonly DatasetFile[];
  /** Aborted: save what is complete, then throw the signal's reason. */
  readonly stop: AbortSignal;
}

export interface ImportedDataset {
  readonly dataset: ArtifactRef;
  /** Rows that were left out, since an earlier file has them. */
  readonly repeated: number;
}

/**
 * @throws dataset-changed, dataset-empty, dataset-missing, dataset-file-invalid, dataset-row-invalid, fence-lost, store-unavailable, and
 *   whatever the reason of `stop` is
 */
export async function importDataset(request: ImportRequest): Promise<ImportedDataset> {
  const { files, writer, stop } = request;
  const work = await ImportWork.resume(request);
  try {
    for (const [index, file] of files.entries())
      if (index >= work.file) await named(file, () => readFile(work, index, file, stop));
    stop.throwIfAborted();
    await work.finishReading();
  } catch (error) {
    if (stop.aborted) await work.saveNow();
    throw error;
  }
  if (work.shards.length === 0)
    throw new NightstillError('dataset-empty', `${placeOf(files)}: expected at least one row, found blank lines only`);
  const parts = work.shards.map(({ digest, bytes, rows }) => ({ digest, bytes, rows }));
  const dataset = await writer.putArtifact({ kind: 'dataset', parts, meta: { format: rowFormat } });
  return { dataset, repeated: work.repeated };
}

async function readFile(work: ImportWork, index: number, file: DatasetFile, stop: AbortSignal): Promise<void> {
  await confirmUnchanged(file.source, file.identity);
  for await (const batch of readSourceRows(file, work.enter(index, file.name))) await work.read(batch, stop);
  await confirmUnchanged(file.source, file.identity);
}

/** Where there are several files, an error about a row says of which. */
async function named(file: DatasetFile, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (file.name === undefined || !hasCode(error, 'dataset-row-invalid')) throw error;
    throw new NightstillError('dataset-row-invalid', `${file.name}, ${error.message}`, {
      cause: error,
      details: { ...error.details, file: file.name },
    });
  }
}

const placeOf = ([first, ...others]: readonly DatasetFile[]): string =>
  `${first?.identity.uri}${others.length > 0 ? ` and ${others.length} more` : ''}`;
