/** The stage kind `import`: a dataset, JSONL or Parquet in files or S3 objects, becomes an artifact of normalised shards. */
import { z } from 'zod';
import { defineStage } from './define-stage.js';
import { datasetSchema } from '../config/dataset-schema.js';

const mebibyte = 1024 * 1024;

export const importStage = defineStage({
  kind: 'import',
  version: 1,
  options: z.strictObject({
    dataset: datasetSchema.describe(
      'JSONL or Parquet: a file or an object, all under a place that ends in `/`, a glob, or `{ from, window, until }`.',
    ),
    shardBytes: z
      .int()
      .min(64 * 1024)
      .max(32 * mebibyte)
      .default(8 * mebibyte)
      .describe('A shard of the artifact is closed once it holds this many bytes.'),
  }),
  outputs: { dataset: 'dataset' },
  sources: { dataset: 'dataset' },
  rowsFrom: 'dataset',
  shared: { dataset: 'dataset' },
  program: 'importer',
  // Longer than the store takes to give up a server that hangs: the cause is then named, instead of the silence.
  silenceLimitsMs: { start: 60_000, open: 180_000, claim: 180_000, read: 180_000, seal: 300_000 },
});
