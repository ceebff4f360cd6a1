/**
 * How far an import has come: always at the end of a shard, so that whoever goes on from it cuts the same shards. It is the
 * JSON state of the stage's checkpoints.
 */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import { blobRefSchema, type BlobRef, type Json } from '../storage/index.js';

const count = z.int().nonnegative();

const shardSchema = z.object({
  ...blobRefSchema.shape,
  rows: count,
  /** The ids of its rows, as `RowIds` hands them out. */
  ids: blobRefSchema,
});

const stateSchema = z.object({
  /** The file that the last row of the shards is of, counted from 0, and what of it is in them: bytes and lines, or rows of a table. */
  file: count.default(0),
  offset: count,
  line: count,
  /** Rows that an earlier file had as well. */
  repeated: count.default(0),
  shards: z.array(shardSchema),
});

export type ImportState = z.output<typeof stateSchema>;

export const initialState: ImportState = { file: 0, offset: 0, line: 0, repeated: 0, shards: [] };

/** @throws record-invalid */
export function parseImportState(state: Json): ImportState {
  const parsed = stateSchema.safeParse(state);
  if (parsed.success) return parsed.data;
  throw new NightstillError(
    'record-invalid',
    `expected the state of an import, found ${parsed.error.issues[0]?.message}`,
  );
}

/** Every blob that this state needs kept. */
export const blobsOf = ({ shards }: ImportState): BlobRef[] =>
  shards.flatMap(({ digest, bytes, ids }) => [
    { digest, bytes },
    { digest: ids.digest, bytes: ids.bytes },
  ]);
