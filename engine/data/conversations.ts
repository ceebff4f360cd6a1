/**
 * Rows of any known shape as conversations. A row that cannot be trained on as it stands (tool calls, images, empty turns …)
 * has a named reason: it is refused, or skipped and counted under that reason, as the caller decides. Fields of messages that
 * are not read are counted by name. A row of no known shape is always refused. Nothing disappears without a count.
 */
import { invalidRow } from './row-errors.js';
import type { Row } from './row.js';
import { readShape, Unusable, type Message, type Shape, type UnusableReason } from './shapes.js';

/** A chat, or a plain text to be learned whole. */
export type Conversation =
  { readonly id: string; readonly messages: readonly Message[] } | { readonly id: string; readonly text: string };

export interface ConversationSettings {
  /** The shape of every row; by the fields of each row when absent. */
  readonly shape?: Shape;
  /** What to do with a row that has a named reason against it. */
  readonly unusable: 'refuse' | 'skip';
}

/** Grows while rows are read. */
export interface ConversationCounts {
  rows: number;
  conversations: number;
  /** Rows, by the reason for which they were skipped. */
  readonly skipped: Partial<Record<UnusableReason, number>>;
  /** Messages with a field that was not read, by its name; at most 100 names, the rest as '…'. */
  readonly unreadFields: Record<string, number>;
}

const maximumNames = 100;
const maximumIdLength = 512;

export const emptyCounts = (): ConversationCounts => ({ rows: 0, conversations: 0, skipped: {}, unreadFields: {} });

/**
 * One conversation a row, in the order of the rows. Its id is the row's `id` (a text or an integer), or else its number.
 * @param counts is added to.
 * @throws dataset-row-invalid with the number of the row, what was expected and what was found
 */
export async function* readConversations(
  rows: AsyncIterable<Row> | Iterable<Row>,
  settings: ConversationSettings,
  counts: ConversationCounts = emptyCounts(),
): AsyncGenerator<Conversation> {
  for await (const row of rows) {
    counts.rows += 1;
    const conversation = readRow(row, settings, counts);
    if (conversation === undefined) continue;
    counts.conversations += 1;
    yield conversation;
  }
}

function readRow(
  row: Row,
  { shape, unusable }: ConversationSettings,
  counts: ConversationCounts,
): Conversation | undefined {
  try {
    const { unreadFields, ...content } = readShape(row, shape);
    for (const name of unreadFields) countName(counts.unreadFields, name);
    return { id: readId(row), ...content };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    if (unusable === 'refuse') throw invalidRow(row.number, 'a row to train on', `${error.reason} (${error.message})`);
    counts.skipped[error.reason] = (counts.skipped[error.reason] ?? 0) + 1;
    return undefined;
  }
}

function countName(counted: Record<string, number>, name: string): void {
  const known = Object.hasOwn(counted, name) || Object.keys(counted).length < maximumNames;
  const key = known && name !== '__proto__' ? name : '…';
  counted[key] = (Object.hasOwn(counted, key) ? (counted[key] ?? 0) : 0) + 1;
}

function readId({ number, record }: Row): string {
  const { id } = record;
  if (id === undefined || id === null) return String(number);
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id);
  if (typeof id === 'string' && id !== '' && id.length <= maximumIdLength && !/\p{Surrogate}/u.test(id)) return id;
  throw invalidRow(number, `id: a text of 1 to ${maximumIdLength} characters, or an integer below 2^53`, 'another');
}
