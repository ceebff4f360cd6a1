/**
 * Reads a dataset into an artifact of normalised shards, going on from the last checkpoint. The artifact depends on the
 * bytes of the source and the shard size alone: not on interruptions, nor on when checkpoints were taken. Checkpoints lie at
 * the ends of shards; rows behind the last one are read again.
 */
import { NightstillError } from '../config/errors.js';
import type { ArtifactRef } from '../storage/index.js';
import { confirmUnchanged, type DatasetSource, type SourceIdentity } from './dataset-source.js';
import { ImportWork, type ImportWorkRequest } from './import-work.js';
import { rowFormat } from './row.js';

export interface ImportRequest extends ImportWorkRequest {
  readonly source: DatasetSource;
  /** The version of the source that is to be imported; any other is refused. */
  readonly identity: SourceIdentity;
  /** Aborted: save what is complete, then throw the signal's reason. */
  readonly stop: AbortSignal;
}

/**
 * @throws dataset-changed, dataset-empty, dataset-missing, dataset-row-invalid, fence-lost, store-unavailable, and whatever
 *   the reason of `stop` is
 */
export async function importDataset(request: ImportRequest): Promise<ArtifactRef> {
  const { source, identity, writer, stop } = request;
  await confirmUnchanged(source, identity);
  const work = await ImportWork.resume(request);
  try {
    for await (const chunk of source.read(identity, work.offset)) await work.read(chunk, stop);
    stop.throwIfAborted();
    await work.finishReading();
  } catch (error) {
    if (stop.aborted) await work.saveNow();
    throw error;
  }
  await confirmUnchanged(source, identity);
  if (work.shards.length === 0)
    throw new NightstillError(
      'dataset-empty',
      `${identity.uri}: expected at least one row, found ${work.lines} blank lines`,
    );
  const parts = work.shards.map(({ digest, bytes, rows }) => ({ digest, bytes, rows }));
  return writer.putArtifact({ kind: 'dataset', parts, meta: { format: rowFormat } });
}
