/** The rows of a dataset that was imported, one after another in its order. */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import {
  isJsonObject,
  parseJson,
  readArtifact,
  readBlob,
  type ArtifactRef,
  type Json,
  type JsonObject,
  type ObjectStore,
} from '../storage/index.js';
import { rowFormat } from './row.js';

export interface DatasetRow {
  readonly id: string;
  /** As the dataset has them; `role` and `content` are texts. */
  readonly messages: readonly (JsonObject & { readonly role: string; readonly content: string })[];
  /** What the row has besides id and messages. */
  readonly extra?: JsonObject | undefined;
}

const rowSchema = z.object({
  id: z.string(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.string() })),
  extra: z.record(z.string(), z.json()).optional(),
});

/** @throws artifact-invalid, object-missing, object-damaged */
export async function* readDatasetRows(store: ObjectStore, dataset: ArtifactRef): AsyncGenerator<DatasetRow> {
  const { kind, parts, meta } = await readArtifact(store, dataset);
  const format = isJsonObject(meta) ? meta['format'] : undefined;
  if (kind !== 'dataset' || format !== rowFormat)
    throw invalid(dataset, `a dataset of the format ${rowFormat}`, `${kind} of ${JSON.stringify(format)}`);
  for (const part of parts)
    for (const line of Buffer.from(await readBlob(store, part))
      .toString()
      .split('\n'))
      if (line !== '') yield rowOf(dataset, parseJson(line));
}

function rowOf(dataset: ArtifactRef, row: Json): DatasetRow {
  const parsed = rowSchema.safeParse(row);
  if (!parsed.success) throw invalid(dataset, 'rows of id and messages', parsed.error.issues[0]?.message ?? 'others');
  return parsed.data as DatasetRow;
}

const invalid = ({ uri }: ArtifactRef, expected: string, found: string): NightstillError =>
  new NightstillError('artifact-invalid', `${uri}: expected ${expected}, found ${found}`);
