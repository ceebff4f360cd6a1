/** The prompts of a dataset, row by row in its order: each conversation up to the turn that a teacher is to answer. */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import {
  isJsonObject,
  parseJson,
  readArtifact,
  readBlob,
  type ArtifactRef,
  type Json,
  type JsonObject,
  type ObjectStore,
} from '../../storage/index.js';
import { rowFormat } from '../row.js';

export interface PromptRow {
  readonly id: string;
  /** As the dataset has them. An answer that the row ends with is left out: the teacher gives its own. */
  readonly messages: readonly JsonObject[];
  /** What the row has besides id and messages. */
  readonly extra?: JsonObject | undefined;
}

const rowSchema = z.object({
  id: z.string(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.string() })),
  extra: z.record(z.string(), z.json()).optional(),
});

/** @throws artifact-invalid, object-missing, object-damaged */
export async function* readPrompts(store: ObjectStore, dataset: ArtifactRef): AsyncGenerator<PromptRow> {
  const { kind, parts, meta } = await readArtifact(store, dataset);
  const format = isJsonObject(meta) ? meta['format'] : undefined;
  if (kind !== 'dataset' || format !== rowFormat)
    throw invalid(dataset, `a dataset of the format ${rowFormat}`, `${kind} of ${JSON.stringify(format)}`);
  for (const part of parts)
    for (const line of Buffer.from(await readBlob(store, part))
      .toString()
      .split('\n'))
      if (line !== '') yield promptOf(dataset, parseJson(line));
}

function promptOf(dataset: ArtifactRef, row: Json): PromptRow {
  const parsed = rowSchema.safeParse(row);
  if (!parsed.success) throw invalid(dataset, 'rows of id and messages', parsed.error.issues[0]?.message ?? 'others');
  const { messages } = parsed.data;
  const asked = messages.findLastIndex(({ role }) => role !== 'assistant') + 1;
  return { ...parsed.data, messages: messages.slice(0, asked) as JsonObject[] };
}

const invalid = ({ uri }: ArtifactRef, expected: string, found: string): NightstillError =>
  new NightstillError('artifact-invalid', `${uri}: expected ${expected}, found ${found}`);
