/** How far a capture has come, always at the end of a shard: the JSON state of its checkpoints. */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { blobRefSchema, type BlobRef, type Json } from '../../storage/index.js';
import { jsonSchema } from '../../storage/records/index.js';
import { capturedMassSchema, noMass } from './captured-mass.js';

const count = z.int().nonnegative();

const stateSchema = z.object({
  /** Rows that were taken, also those that were there already. */
  taken: count,
  shards: z.array(
    z.object({
      ...blobRefSchema.shape,
      rows: count,
      /** The keys of its rows, 16 bytes each. */
      keys: blobRefSchema,
    }),
  ),
  /** Of the rows in these shards. */
  mass: capturedMassSchema,
  /** What was given with the last of them; see `add`. */
  account: jsonSchema.optional(),
  /** Of the machine that wrote last: what the bits of the rows depend on besides the stage. */
  fingerprint: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Rows after which a machine went on that computes other bits. */
  resumedInexactlyAt: z.array(count),
});
export type LogitState = z.output<typeof stateSchema>;

export const initialLogitState = (temperatures: number): LogitState => ({
  taken: 0,
  shards: [],
  mass: noMass(temperatures),
  fingerprint: {},
  resumedInexactlyAt: [],
});

/** @throws record-invalid */
export function parseLogitState(state: Json): LogitState {
  const parsed = stateSchema.safeParse(state);
  if (parsed.success) return parsed.data;
  throw new NightstillError(
    'record-invalid',
    `expected the state of a capture, found ${parsed.error.issues[0]?.message}`,
  );
}

export const blobsOfLogits = ({ shards }: LogitState): BlobRef[] =>
  shards.flatMap(({ digest, bytes, keys }) => [{ digest, bytes }, keys]);
