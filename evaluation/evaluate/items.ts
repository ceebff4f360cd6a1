/**
 * The items of an evaluation set: what is asked, and what should be answered. All of them are read before a model is loaded: an
 * evaluation never ends hours later because its last row has no reference.
 */
import { NightstillError } from '../../config/errors.js';
import type { JsonObject } from '../../storage/index.js';
import type { EvaluationItem } from '../scorers/scorer.js';

/** A row of a dataset. */
export interface ItemRow {
  readonly id: string;
  readonly messages: readonly Message[];
  readonly extra?: JsonObject | undefined;
}

interface Message {
  readonly role: string;
  readonly content: string;
}

export interface Item extends EvaluationItem {
  /** The conversation up to the turn that the model is to answer. */
  readonly messages: readonly Message[];
  readonly reference: string;
}

/**
 * @param reference the field that holds it; undefined: the answer that a row ends with
 * @throws dataset-empty; evaluation-invalid for a row without a prompt or a reference, and for an id that is there twice
 */
export async function readItems(rows: AsyncIterable<ItemRow>, reference: string | undefined): Promise<readonly Item[]> {
  const items = new Map<string, Item>();
  for await (const row of rows) {
    if (items.has(row.id)) throw invalid(row, 'an id that no other row has', 'it twice');
    items.set(row.id, itemOf(row, reference));
  }
  if (items.size > 0) return [...items.values()];
  throw new NightstillError('dataset-empty', 'expected an evaluation set with at least one row, found none');
}

function itemOf(row: ItemRow, field: string | undefined): Item {
  const { id, messages, extra = {} } = row;
  const prompt = messages.slice(0, messages.findLastIndex(({ role }) => role !== 'assistant') + 1);
  if (prompt.length === 0) throw invalid(row, 'a message to answer', 'none');
  const reference = field === undefined ? messages[prompt.length]?.content : extra[field];
  if (typeof reference === 'string') return { id, fields: extra, messages: prompt, reference };
  if (field === undefined)
    throw invalid(row, 'an answer at the end, or the option reference that names the field of it', 'none');
  throw invalid(row, `a text in its field ${field}`, Object.hasOwn(extra, field) ? 'another value' : 'no such field');
}

const invalid = ({ id }: ItemRow, expected: string, found: string): NightstillError =>
  new NightstillError('evaluation-invalid', `row ${JSON.stringify(id)}: expected ${expected}, found ${found}`, {
    details: { row: id },
  });
