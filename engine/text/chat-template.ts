/**
 * A model's chat template: conversations as text, as transformers renders them. The clock is not offered to templates (some would
 * write today's date, and a run would differ by the day): they take their fixed date, or a variable that the caller gives.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { reasonOf } from '../files/excerpt.js';
import { readOptionalText } from '../files/regular-file.js';
import { compileTemplate, type RenderTemplate } from './bounded-template.js';
import { readTokenizerConfig } from './tokenizer.js';

/** A turn of a conversation; templates may read other fields, such as reasoning_content. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface RenderOptions {
  /** End with what begins an answer of the assistant. */
  readonly addGenerationPrompt: boolean;
}

/** What a template with {% generation %} blocks renders, and which part of it each block was. */
export interface MarkedText {
  readonly text: string;
  /** Offsets of the text, ascending. */
  readonly blocks: readonly { readonly start: number; readonly end: number }[];
}

export interface ChatTemplate {
  /** What messages call it. */
  readonly name: string;
  /** Of the template, the tokens it writes and the variables. */
  readonly digest: string;
  readonly marksAnswers: boolean;
  /** @throws chat-template-invalid when the template refuses the conversation, with its words. */
  readonly render: (messages: readonly ChatMessage[], options: RenderOptions) => string;
  /** @throws chat-template-invalid also when the blocks are not pairs. */
  readonly renderMarked: (messages: readonly ChatMessage[]) => MarkedText;
}

export interface TemplateSettings {
  readonly name: string;
  /** Such as bos_token and eos_token. */
  readonly tokens?: Readonly<Record<string, string>>;
  /** What the template may be told, such as enable_thinking or date_string. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

const tokenSchema = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]);
const templatesSchema = z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]);
const tokenNames = ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const;

/**
 * Reads chat_template.jinja, or else the template of tokenizer_config.json (of several the one named default).
 * @throws model-file-missing when there is neither; chat-template-invalid
 */
export async function openChatTemplate(
  directory: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<ChatTemplate> {
  const config = await readTokenizerConfig(directory);
  const tokens: Record<string, string> = {};
  for (const name of tokenNames) {
    const token = tokenSchema.safeParse(config[name]);
    if (token.success) tokens[name] = token.data;
  }
  const path = join(directory, 'chat_template.jinja');
  const source = await readOptionalText(path, { otherwise: 'chat-template-invalid' });
  if (source !== undefined) return createChatTemplate(source, { name: path, tokens, variables });
  const name = join(directory, 'tokenizer_config.json');
  const templates = templatesSchema.safeParse(config['chat_template'] ?? []);
  if (!templates.success) throw invalid(name, 'expected chat_template to be a text, or texts with names');
  const chosen = defaultOf(templates.data);
  if (chosen === undefined)
    throw new NightstillError('model-file-missing', `Expected a chat template in ${directory}, found none.`);
  return createChatTemplate(chosen, { name, tokens, variables });
}

const defaultOf = (templates: z.infer<typeof templatesSchema>): string | undefined =>
  typeof templates === 'string' ? templates : templates.find(({ name }) => name === 'default')?.template;

/** @throws chat-template-invalid when it cannot be parsed. */
export function createChatTemplate(source: string, settings: TemplateSettings): ChatTemplate {
  const { name, tokens = {}, variables = {} } = settings;
  const plain = parse(source, name);
  const marked = parse(withMarks(source), name);
  const render = (template: RenderTemplate, messages: readonly ChatMessage[], extra: Record<string, unknown>): string =>
    orInvalid(name, () => template({ ...tokens, ...variables, messages, ...extra }));
  return {
    name,
    digest: createHash('sha256')
      .update(JSON.stringify([source, tokens, variables]))
      .digest('hex'),
    marksAnswers: generationTag('').test(source),
    render: (messages, { addGenerationPrompt }) =>
      render(plain, messages, { add_generation_prompt: addGenerationPrompt }),
    renderMarked: (messages) => {
      const mark = unusedMark(orInvalid(name, () => JSON.stringify(messages)));
      const marks = { nightstill_start: `${mark}<`, nightstill_end: `${mark}>` };
      return readMarks(render(marked, messages, { add_generation_prompt: false, ...marks }), mark, name);
    },
  };
}

const parse = (source: string, name: string): RenderTemplate => orInvalid(name, () => compileTemplate(source));

function orInvalid<Result>(name: string, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    throw invalid(name, cause);
  }
}

const invalid = (name: string, cause: unknown): NightstillError =>
  new NightstillError('chat-template-invalid', `${name}: ${reasonOf(cause)}.`, { cause });

const generationTag = (prefix: string): RegExp => new RegExp(`${prefix}\\{%(-?)\\s*(end)?generation\\s*(-?)%\\}`, 'gm');

/** Blocks take the spaces before them on a line and the line break behind them along, as everywhere in chat templates. */
const withMarks = (source: string): string =>
  source.replaceAll(
    new RegExp(`${generationTag('(?:^[ \\t]*)?').source}\\n?`, 'gm'),
    (_, left: string, end: string | undefined, right: string) =>
      `{{${left} nightstill_${end === undefined ? 'start' : 'end'} ${right}}}`,
  );

/** A text that the conversation does not hold. */
function unusedMark(conversation: string): string {
  let number = 0;
  while (conversation.includes(`\uE000${number}\uE001`)) number += 1;
  return `\uE000${number}\uE001`;
}

function readMarks(rendered: string, mark: string, name: string): MarkedText {
  const blocks: { start: number; end: number }[] = [];
  let text = '';
  let start: number | undefined;
  for (const [index, piece] of rendered.split(mark).entries()) {
    if (index > 0 && piece.startsWith('<') === (start !== undefined))
      throw invalid(name, new Error('its generation blocks do not come in pairs'));
    if (index > 0 && start === undefined) start = text.length;
    else if (start !== undefined) {
      blocks.push({ start, end: text.length });
      start = undefined;
    }
    text += index > 0 ? piece.slice(1) : piece;
  }
  if (start !== undefined) throw invalid(name, new Error('a generation block of it does not end'));
  return { text, blocks };
}
