/**
 * The forms in which conversations are written down, read into messages: OpenAI (`messages`), ShareGPT (`conversations`),
 * Alpaca (`instruction`, `input`, `output`) and pairs (`prompt` with `response` or `completion`). A row is read by the first
 * form whose key it has, in this order; its other keys are kept. A conversation may end without an answer: a teacher may
 * still have to give it.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../storage/index.js';

export type ChatRole = 'system' | 'developer' | 'user' | 'assistant' | 'tool';

export interface Message {
  readonly role: ChatRole;
  readonly content: string;
  /** Keys of the message besides role and content: `name`, `tool_calls` … */
  readonly extra?: JsonObject;
}

export interface Conversation {
  readonly messages: readonly Message[];
  /** Keys of the row that its form does not know. */
  readonly extra?: JsonObject;
}

/** What a value should have been and what it is, before the line is known. */
export class Mismatch extends Error {
  constructor(
    readonly expected: string,
    readonly found: string,
  ) {
    super(`expected ${expected}, found ${found}`);
  }
}

type Form = (row: JsonObject) => Conversation;

const forms: Readonly<Record<string, Form>> = {
  messages: readOpenAi,
  conversations: readShareGpt,
  instruction: readAlpaca,
  prompt: readPair,
};

export function readConversation(row: JsonObject): Conversation {
  const form = Object.entries(forms).find(([key]) => Object.hasOwn(row, key));
  if (form !== undefined) return form[1](row);
  throw new Mismatch(`one of the keys ${Object.keys(forms).join(', ')}`, describeKeys(row));
}

/** The type of a value and nothing of its content. */
export function describe(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (isJsonArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function describeKeys(row: JsonObject): string {
  const keys = Object.keys(row);
  const shown = keys.slice(0, 8).map((key) => key.slice(0, 40));
  return keys.length === 0 ? 'no key' : shown.join(', ') + (keys.length > shown.length ? ' …' : '');
}

function readOpenAi({ messages, ...rest }: JsonObject): Conversation {
  return conversation(nonEmptyList(messages, 'messages').map(openAiMessage), rest);
}

const openAiRoles: Readonly<Record<string, ChatRole>> = {
  system: 'system',
  developer: 'developer',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
  function: 'tool',
};

function openAiMessage(value: Json, index: number): Message {
  const path = `messages[${index}]`;
  if (!isJsonObject(value)) throw new Mismatch(`${path}: an object`, describe(value));
  const { role, content, ...rest } = value;
  const read = chatRole(role, openAiRoles, `${path}.role`);
  // An assistant's message that only calls tools has no text.
  const silent = (content === null || content === undefined) && Object.hasOwn(rest, 'tool_calls');
  return { role: read, content: silent ? '' : contentText(content, `${path}.content`), ...extraOf(rest) };
}

/** Text, or a list of text parts as the OpenAI API also takes them. */
function contentText(content: Json | undefined, path: string): string {
  if (content === undefined || !isJsonArray(content)) return text(content, path);
  return content
    .map((part, index) => {
      if (isJsonObject(part) && part['type'] === 'text') return text(part['text'], `${path}[${index}].text`);
      throw new Mismatch(`${path}[${index}]: a part of type text`, describe(part));
    })
    .join('');
}

const shareGptRoles: Readonly<Record<string, ChatRole>> = {
  system: 'system',
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  chatgpt: 'assistant',
  model: 'assistant',
  tool: 'tool',
  observation: 'tool',
};

function readShareGpt({ conversations, system, ...rest }: JsonObject): Conversation {
  const messages = nonEmptyList(conversations, 'conversations').map((turn, index): Message => {
    const path = `conversations[${index}]`;
    if (!isJsonObject(turn)) throw new Mismatch(`${path}: an object`, describe(turn));
    const { from, value, ...others } = turn;
    return {
      role: chatRole(from, shareGptRoles, `${path}.from`),
      content: text(value, `${path}.value`),
      ...extraOf(others),
    };
  });
  return conversation([...systemMessage(system), ...messages], rest);
}

function readAlpaca({ instruction, input, output, system, ...rest }: JsonObject): Conversation {
  const asked = text(instruction, 'instruction');
  const given = input === undefined || input === null ? '' : text(input, 'input');
  const question: Message = { role: 'user', content: given === '' ? asked : `${asked}\n\n${given}` };
  return conversation([...systemMessage(system), question, ...answerMessage(output, 'output')], rest);
}

function readPair({ prompt, system, ...row }: JsonObject): Conversation {
  const answerKey = Object.hasOwn(row, 'response') ? 'response' : 'completion';
  const { [answerKey]: answer, ...rest } = row;
  const question: Message = { role: 'user', content: text(prompt, 'prompt') };
  return conversation([...systemMessage(system), question, ...answerMessage(answer, answerKey)], rest);
}

const conversation = (messages: readonly Message[], rest: JsonObject): Conversation => ({ messages, ...extraOf(rest) });

const systemMessage = (system: Json | undefined): Message[] =>
  system === undefined || system === null || system === '' ? [] : [{ role: 'system', content: text(system, 'system') }];

const answerMessage = (answer: Json | undefined, path: string): Message[] =>
  answer === undefined || answer === null ? [] : [{ role: 'assistant', content: text(answer, path) }];

const extraOf = (rest: JsonObject): { readonly extra?: JsonObject } =>
  Object.keys(rest).length === 0 ? {} : { extra: rest };

function nonEmptyList(value: Json | undefined, path: string): readonly Json[] {
  if (value !== undefined && isJsonArray(value) && value.length > 0) return value;
  throw new Mismatch(`${path}: a list of at least one`, describe(value));
}

function text(value: Json | undefined, path: string): string {
  if (typeof value === 'string') return value;
  throw new Mismatch(`${path}: a text`, describe(value));
}

function chatRole(value: Json | undefined, known: Readonly<Record<string, ChatRole>>, path: string): ChatRole {
  const role = typeof value === 'string' && Object.hasOwn(known, value) ? known[value] : undefined;
  if (role !== undefined) return role;
  throw new Mismatch(`${path}: one of ${Object.keys(known).join(', ')}`, describe(value));
}
