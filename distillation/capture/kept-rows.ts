/** The rows of a dataset of which a teacher has said something: those that a student can learn from its distributions. */
import {
  canonicalJson,
  type ArtifactPart,
  type ArtifactRef,
  type ObjectStore,
  type StageWriter,
} from '../../storage/index.js';
import { readDatasetRows } from '../dataset-rows.js';
import { rowFormat } from '../row.js';
import { ShardCutter } from '../shard-cutter.js';

const shardBytes = 8 * 1024 * 1024;

/**
 * @param without ids of samples, `id` or `id#<piece>`: of a row that was split, every piece must be there
 * @returns the dataset itself where nothing is left out
 */
export async function keepRows(
  store: ObjectStore,
  writer: StageWriter,
  dataset: ArtifactRef,
  without: ReadonlySet<string>,
): Promise<ArtifactRef> {
  if (without.size === 0) return dataset;
  const cutter = new ShardCutter(shardBytes);
  const parts: ArtifactPart[] = [];
  const close = async (): Promise<void> => {
    const { bytes, rows } = cutter.take();
    parts.push({ ...(await writer.putBlob(bytes)), rows });
  };
  const rows = new Set([...without].flatMap((id) => [id, id.replace(/#\d+$/, '')]));
  for await (const { id, messages, extra } of readDatasetRows(store, dataset)) {
    if (rows.has(id)) continue;
    cutter.add(`${canonicalJson({ id, messages, ...(extra && { extra }) })}\n`);
    if (cutter.full) await close();
  }
  if (!cutter.empty) await close();
  return writer.putArtifact({ kind: 'dataset', parts, meta: { format: rowFormat } });
}
