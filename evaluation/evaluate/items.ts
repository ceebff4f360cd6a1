/**
 * The items of an evaluation set: what is asked, and what should be answered. All of them are read before a model is loaded: an
 * evaluation never ends hours later because its last row has no reference.
 */
import type { EvaluateOptions } from '../../config/evaluate-options.js';
import { NightstillError } from '../../config/errors.js';
import { digestOf, type JsonObject } from '../../storage/index.js';
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

/** All rows, or the sample that the options ask for. @throws as `readItems` and `sampleItems` do */
export const itemsOf = (
  rows: AsyncIterable<ItemRow>,
  { sample, reference }: Pick<EvaluateOptions, 'sample' | 'reference'>,
): Promise<readonly Item[]> => (sample === undefined ? readItems(rows, reference) : sampleItems(rows, sample));

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

/** In the place of a row: the one of least digest comes first. */
interface Drawn {
  readonly digest: string;
  readonly item: Item;
}

/**
 * So many of the rows that end with an answer, or all: those whose ids have the least digests, so that the same rows in another
 * order, or some more beside them, give nearly the same sample. Of rows with one id, one is taken.
 * @throws dataset-empty where no row ends with an answer
 */
export async function sampleItems(rows: AsyncIterable<ItemRow>, size: number): Promise<readonly Item[]> {
  let drawn = new Map<string, Drawn>();
  const least = (): Drawn[] =>
    [...drawn.values()].sort((one, other) => (one.digest < other.digest ? -1 : 1)).slice(0, size);
  for await (const row of rows) {
    if (drawn.has(row.id) || row.messages.at(-1)?.role !== 'assistant' || row.messages.length < 2) continue;
    drawn.set(row.id, { digest: digestOf(row.id), item: itemOf(row, undefined) });
    // What will not be taken is forgotten now and then: a dataset may be larger than memory.
    if (drawn.size >= 2 * size + 1024) drawn = new Map(least().map((each) => [each.item.id, each]));
  }
  if (drawn.size > 0) return least().map(({ item }) => item);
  throw new NightstillError('dataset-empty', 'expected a row that ends with an answer, found none');
}

/**
 * @param field that holds the reference; undefined: the answer that the row ends with
 * @throws evaluation-invalid for a row without a prompt or a reference
 */
export function itemOf(row: ItemRow, field: string | undefined): Item {
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
