/** The stage kind `import`: a JSONL dataset, in a file or an S3 object, becomes an artifact of normalised shards. */
import { z } from 'zod';
import { defineStage } from './define-stage.js';
import { sourceUrlSchema } from '../config/source-url.js';

const mebibyte = 1024 * 1024;

export const importStage = defineStage({
  kind: 'import',
  version: 1,
  options: z.strictObject({
    dataset: sourceUrlSchema.describe('A JSONL file or object.'),
    shardBytes: z
      .int()
      .min(64 * 1024)
      .max(32 * mebibyte)
      .default(8 * mebibyte)
      .describe('A shard of the artifact is closed once it holds this many bytes.'),
  }),
  outputs: { dataset: 'dataset' },
  sources: { dataset: 'dataset' },
  shared: { dataset: 'dataset' },
  program: 'importer',
  // Longer than the store takes to give up a server that hangs: the cause is then named, instead of the silence.
  silenceLimitsMs: { start: 60_000, open: 180_000, claim: 180_000, read: 180_000, seal: 300_000 },
});
