/**
 * The shapes in which datasets write a sample down, told apart by their fields: OpenAI `messages`, ShareGPT `conversations`,
 * Alpaca `instruction`/`input`/`output`, pairs `prompt`/`response` (or `completion`), plain `text`. A row is read by the first
 * of them, in this order, whose fields it has.
 */
import { describe, describeFields, invalidRow, isRecord } from './row-errors.js';
import type { Row, RowRecord } from './row.js';

export interface Message {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: string;
}

/** Why a row of a known shape cannot be trained on. */
export type UnusableReason =
  'content-part' | 'tool-call' | 'tool-message' | 'tool-declaration' | 'empty-turn' | 'no-answer';

/** The message says where in the row. */
export class Unusable extends Error {
  constructor(
    readonly reason: UnusableReason,
    where: string,
  ) {
    super(where);
  }
}

type Content = { readonly messages: readonly Message[] } | { readonly text: string };

interface Reading {
  /** The field that makes a row one of this shape. */
  readonly key: string;
  readonly fields: string;
  readonly read: (reader: RowReader, record: RowRecord) => Content;
}

const shapes = {
  messages: { key: 'messages', fields: 'messages: [{role, content}]', read: readMessages },
  sharegpt: { key: 'conversations', fields: 'conversations: [{from, value}]', read: readShareGpt },
  alpaca: { key: 'instruction', fields: 'instruction, input, output', read: readAlpaca },
  pair: { key: 'prompt', fields: 'prompt, response', read: readPair },
  text: { key: 'text', fields: 'text', read: (reader, { text }) => ({ text: reader.turn(text, 'text') }) },
} as const satisfies Record<string, Reading>;

export type Shape = keyof typeof shapes;

/**
 * What a row says, and the names of the fields of its messages that were not read.
 * @throws dataset-row-invalid; Unusable where the row is well-formed but of no use
 */
export function readShape(row: Row, shape?: Shape): Content & { readonly unreadFields: readonly string[] } {
  const reading: Reading | undefined =
    shape === undefined ? Object.values(shapes).find(({ key }) => Object.hasOwn(row.record, key)) : shapes[shape];
  if (reading === undefined || !Object.hasOwn(row.record, reading.key))
    throw invalidRow(
      row.number,
      `one of the shapes ${expectedShapes(shape)}`,
      `the fields ${describeFields(row.record)}`,
    );
  const { tools } = row.record;
  if (Array.isArray(tools) ? tools.length > 0 : tools !== undefined && tools !== null && tools !== '')
    throw new Unusable('tool-declaration', 'tools');
  const reader = new RowReader(row.number);
  const content = reading.read(reader, row.record);
  if ('messages' in content && !content.messages.some(({ role }) => role === 'assistant'))
    throw new Unusable('no-answer', reading.key);
  return { ...content, unreadFields: reader.unreadFields };
}

const expectedShapes = (shape: Shape | undefined): string =>
  (shape === undefined ? Object.entries<Reading>(shapes) : [[shape, shapes[shape]] as const])
    .map(([name, { fields }]) => `${name} (${fields})`)
    .join(', ');

const openAiRoles = rolesOf({ system: 'system', developer: 'developer', user: 'user', assistant: 'assistant' });
const shareGptRoles = rolesOf({
  system: 'system',
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  chatgpt: 'assistant',
  model: 'assistant',
});
const toolRoles: readonly unknown[] = ['tool', 'function', 'observation', 'function_call'];
const toolFields = ['tool_calls', 'function_call'];

function rolesOf(roles: Readonly<Record<string, Message['role']>>): ReadonlyMap<unknown, Message['role']> {
  return new Map(Object.entries(roles));
}

function readMessages(reader: RowReader, { messages }: RowRecord): Content {
  return { messages: reader.messages(messages, 'messages', { role: 'role', content: 'content', roles: openAiRoles }) };
}

function readShareGpt(reader: RowReader, { conversations, system }: RowRecord): Content {
  const names = { role: 'from', content: 'value', roles: shareGptRoles };
  return { messages: [...reader.system(system), ...reader.messages(conversations, 'conversations', names)] };
}

function readAlpaca(reader: RowReader, { instruction, input, output, system }: RowRecord): Content {
  const asked = reader.turn(instruction, 'instruction');
  const given = input === undefined || input === null ? '' : reader.text(input, 'input');
  const question: Message = { role: 'user', content: given === '' ? asked : `${asked}\n\n${given}` };
  return { messages: [...reader.system(system), question, ...reader.answer(output, 'output')] };
}

function readPair(reader: RowReader, { prompt, response, completion, system }: RowRecord): Content {
  const question: Message = { role: 'user', content: reader.turn(prompt, 'prompt') };
  const answer = response === undefined ? reader.answer(completion, 'completion') : reader.answer(response, 'response');
  return { messages: [...reader.system(system), question, ...answer] };
}

interface MessageNames {
  readonly role: string;
  readonly content: string;
  readonly roles: ReadonlyMap<unknown, Message['role']>;
}

class RowReader {
  readonly unreadFields: string[] = [];

  constructor(private readonly row: number) {}

  messages(value: unknown, path: string, names: MessageNames): Message[] {
    if (!Array.isArray(value)) throw invalidRow(this.row, `${path}: a list`, describe(value));
    return value.map((message: unknown, index) => this.#message(message, `${path}[${index}]`, names));
  }

  #message(value: unknown, path: string, names: MessageNames): Message {
    if (!isRecord(value)) throw invalidRow(this.row, `${path}: an object`, describe(value));
    const { [names.role]: given, [names.content]: content, extra, ...others } = value;
    // Imported rows keep what their form does not know under `extra`.
    const rest = { ...others, ...(isRecord(extra) ? extra : {}) };
    if (toolRoles.includes(given)) throw new Unusable('tool-message', path);
    for (const field of toolFields) if (hasContent(rest[field])) throw new Unusable('tool-call', `${path}.${field}`);
    const role = names.roles.get(given);
    const known = [...names.roles.keys()].join(', ');
    if (role === undefined) throw invalidRow(this.row, `${path}.${names.role}: one of ${known}`, describe(given));
    this.unreadFields.push(...Object.keys(rest).filter((name) => hasContent(rest[name])));
    const where = `${path}.${names.content}`;
    const text = Array.isArray(content) ? this.#parts(content, where) : content;
    // Some templates add a system message of their own where there is none: an empty one says that there shall be none.
    return { role, content: role === 'system' ? this.text(text, where) : this.turn(text, where) };
  }

  #parts(parts: readonly unknown[], path: string): string {
    return parts
      .map((part, index) => {
        if (!isRecord(part)) throw invalidRow(this.row, `${path}[${index}]: an object`, describe(part));
        if (part['type'] !== 'text') throw new Unusable('content-part', `${path}[${index}]`);
        return this.text(part['text'], `${path}[${index}].text`);
      })
      .join('');
  }

  /** A system message beside the turns; there is none when the field is empty. */
  system(value: unknown): Message[] {
    return hasContent(value) ? [{ role: 'system', content: this.text(value, 'system') }] : [];
  }

  answer(value: unknown, path: string): Message[] {
    if (value === undefined || value === null) throw new Unusable('no-answer', path);
    return [{ role: 'assistant', content: this.turn(value, path) }];
  }

  /** Text that says something. */
  turn(value: unknown, path: string): string {
    if (value === null || value === undefined) throw new Unusable('empty-turn', path);
    const text = this.text(value, path);
    if (text.trim() === '') throw new Unusable('empty-turn', path);
    return text;
  }

  text(value: unknown, path: string): string {
    if (typeof value === 'string') return value;
    throw invalidRow(this.row, `${path}: a text`, describe(value));
  }
}

const hasContent = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
