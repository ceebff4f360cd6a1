/** A dataset without the rows that have no logits: what a student can learn from captured distributions. */
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

export interface KeptRows {
  /** Ids of rows that are left out. */
  readonly without: ReadonlySet<string>;
  /** Called after every row. */
  readonly onRow: (done: number) => void;
}

/** @returns the dataset itself where nothing is left out */
export async function keepRows(
  store: ObjectStore,
  writer: StageWriter,
  dataset: ArtifactRef,
  { without, onRow }: KeptRows,
): Promise<ArtifactRef> {
  if (without.size === 0) return dataset;
  const cutter = new ShardCutter(shardBytes);
  const parts: ArtifactPart[] = [];
  const close = async (): Promise<void> => {
    const { bytes, rows } = cutter.take();
    parts.push({ ...(await writer.putBlob(bytes)), rows });
  };
  let done = 0;
  for await (const { id, messages, extra } of readDatasetRows(store, dataset)) {
    onRow((done += 1));
    if (without.has(id)) continue;
    cutter.add(`${canonicalJson({ id, messages, ...(extra && { extra }) })}\n`);
    if (cutter.full) await close();
  }
  if (!cutter.empty) await close();
  return writer.putArtifact({ kind: 'dataset', parts, meta: { format: rowFormat } });
}
