/** The prompts of a dataset, row by row in its order: each conversation up to the turn that a teacher is to answer. */
import type { ArtifactRef, ObjectStore } from '../../storage/index.js';
import { readDatasetRows, type DatasetRow } from '../dataset-rows.js';

/** An answer that the row ends with is left out: the teacher gives its own. */
export type PromptRow = DatasetRow;

/** @throws artifact-invalid, object-missing, object-damaged */
export async function* readPrompts(store: ObjectStore, dataset: ArtifactRef): AsyncGenerator<PromptRow> {
  for await (const row of readDatasetRows(store, dataset)) {
    const asked = row.messages.findLastIndex(({ role }) => role !== 'assistant') + 1;
    yield { ...row, messages: row.messages.slice(0, asked) };
  }
}
