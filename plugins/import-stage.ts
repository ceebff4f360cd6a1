/** The stage kind `import`: a JSONL dataset, in a file or an S3 object, becomes an artifact of normalised shards. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { StageKind } from '../config/stage-kind.js';

const mebibyte = 1024 * 1024;
const defaults = { shardBytes: 8 * mebibyte };

/** An absolute path, or a file:// or s3:// URL, always as a URL. Credentials have no place in it. */
const datasetSchema = z
  .string()
  .transform((text) => (isAbsolute(text) ? pathToFileURL(text).href : text))
  .refine(isDatasetUrl, 'an absolute path, or a file:// or s3:// URL without credentials');

function isDatasetUrl(text: string): boolean {
  if (!/^(file:\/\/\/|s3:\/\/)/.test(text) || !URL.canParse(text)) return false;
  const { username, password, pathname } = new URL(text);
  return username === '' && password === '' && pathname.length > 1;
}

export const importStage: StageKind = {
  kind: 'import',
  version: 1,
  options: z.strictObject({
    dataset: datasetSchema,
    /** A shard of the artifact is closed once it holds this many bytes. */
    shardBytes: z
      .int()
      .min(64 * 1024)
      .max(32 * mebibyte)
      .default(defaults.shardBytes),
  }),
  defaults,
  sources: ['dataset'],
  activity: 'nightstill.import',
  role: 'io',
  timeouts: { startToCloseMs: 24 * 3600 * 1000, heartbeatMs: 60_000 },
  retry: { initialIntervalMs: 1000, backoffCoefficient: 2, maximumIntervalMs: 60_000 },
};
