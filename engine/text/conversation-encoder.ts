/**
 * Conversations as token ids with the exact spans of the assistant's answers, each with the token that ends it: what a student learns,
 * and nothing else. Where the spans lie is found by rendering, never guessed: a template that marks its answers is believed,
 * of any other each growing prefix is rendered and must be a prefix of the whole. Tokens never straddle a span.
 */
import { createHash } from 'node:crypto';
import { NightstillError } from '../../config/errors.js';
import type { Conversation } from '../data/conversations.js';
import type { ConversationEncoder, EncodedConversation, Span } from '../data/samples.js';
import type { ChatMessage, ChatTemplate } from './chat-template.js';
import type { Tokenizer } from './tokenizer.js';

export interface ConversationEncoderSettings {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  /**
   * Which answers are learned. Templates that rewrite history (Qwen3 strips the thoughts of earlier answers) can only give
   * the last one: the others were said in another context.
   */
  readonly answers?: 'all' | 'last';
  /** Ends a plain text, such as <|endoftext|>. */
  readonly endOfText?: string;
}

/** A stretch of the rendered text, by offsets. */
interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * @throws tokenizer-invalid when the end of text is no token; its encoder throws chat-template-invalid,
 *   and chat-template-rewrites when the template changes earlier turns as later ones come.
 */
export function createConversationEncoder(settings: ConversationEncoderSettings): ConversationEncoder {
  const { tokenizer, template, answers = 'all', endOfText } = settings;
  const endId = endOfText === undefined ? undefined : tokenizer.idOf(endOfText);
  if (endOfText !== undefined && endId === undefined)
    throw new NightstillError('tokenizer-invalid', `Expected the token ${endOfText}, found none of that name.`);
  return {
    digest: tokenizer.digest,
    templateDigest: createHash('sha256')
      .update(JSON.stringify([template.digest, answers, endOfText ?? null]))
      .digest('hex'),
    vocabularySize: tokenizer.vocabularySize,
    encodeConversation: (conversation: Conversation) => {
      if ('text' in conversation) return encodeText(tokenizer, conversation.text, endId);
      const { text, spans } = template.marksAnswers
        ? markedAnswers(template, conversation.messages, answers)
        : grownAnswers(template, conversation.messages, answers, tokenizer);
      return encodePieces(tokenizer, text, spans, template.name);
    },
  };
}

function encodeText(tokenizer: Tokenizer, text: string, endId: number | undefined): EncodedConversation {
  const ids = [...tokenizer.encode(text), ...(endId === undefined ? [] : [endId])];
  return { ids: Int32Array.from(ids), trained: ids.length === 0 ? [] : [{ start: 0, end: ids.length }] };
}

interface AnsweredText {
  readonly text: string;
  readonly spans: readonly TextSpan[];
}

function markedAnswers(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  answers: 'all' | 'last',
): AnsweredText {
  const { text, blocks } = template.renderMarked(messages);
  if (text !== template.render(messages, { addGenerationPrompt: false }))
    throw rewrites(template, 'its generation blocks change what is around them');
  const spans = blocks.filter(({ start, end }) => end > start);
  return { text, spans: answers === 'last' ? spans.slice(-1) : spans };
}

/** Renders what grows turn by turn: the text before an answer, and the text to its end, must be prefixes of the whole. */
function grownAnswers(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  answers: 'all' | 'last',
  tokenizer: Tokenizer,
): AnsweredText {
  const text = template.render(messages, { addGenerationPrompt: false });
  const turns = messages.flatMap(({ role }, index) => (role === 'assistant' ? [index] : []));
  const spans = (answers === 'last' ? turns.slice(-1) : turns).map((turn) => {
    const prompt = template.render(messages.slice(0, turn), { addGenerationPrompt: true });
    const answered = template.render(messages.slice(0, turn + 1), { addGenerationPrompt: false });
    const end = prompt.length + endOfTurn(answered.slice(prompt.length), tokenizer);
    if (!answered.startsWith(prompt))
      throw rewrites(template, `the prompt of turn ${turn + 1} is not how its answer begins`);
    if (!text.startsWith(answered.slice(0, end)))
      throw rewrites(template, `turn ${turn + 1} is rendered otherwise when others follow`);
    return { start: prompt.length, end };
  });
  return { text, spans: spans.filter(({ start, end }) => end > start) };
}

const rewrites = ({ name }: ChatTemplate, found: string): NightstillError =>
  new NightstillError('chat-template-rewrites', `${name}: ${found}, so the spans of the answers are not known.`);

/** Behind the last special token when only space follows it: what a template writes after that belongs to no answer. */
function endOfTurn(answer: string, { specialTokens }: Tokenizer): number {
  let end = 0;
  for (const token of specialTokens.keys()) {
    const at = answer.lastIndexOf(token);
    if (at >= 0) end = Math.max(end, at + token.length);
  }
  return end > 0 && answer.slice(end).trim() === '' ? end : answer.length;
}

/**
 * Each stretch is encoded by itself, as a prompt is when an answer is generated; where special tokens stand between the stretches, this
 * gives the tokens of the whole text. Where the stretches decode to another text (some tokenizers write the beginning of a text
 * otherwise), the whole text is encoded, and a token must begin at every end of a span.
 */
function encodePieces(
  tokenizer: Tokenizer,
  text: string,
  spans: readonly TextSpan[],
  name: string,
): EncodedConversation {
  const offsets = spans.flatMap(({ start, end }) => [start, end]);
  const encode = (part: string): Int32Array => tokenizer.encode(part, { addSpecialTokens: false });
  const pieces = [0, ...offsets].map((start, index) => encode(text.slice(start, offsets[index])));
  const joined = Int32Array.from(pieces.flatMap((piece) => [...piece]));
  // Decoding costs a fraction of encoding: the whole is encoded only where the text does not come back to the letter.
  const written = tokenizer.decode(joined);
  const whole = written === text ? joined : encode(text);
  if (startsWith(whole, joined) || written === tokenizer.decode(whole)) {
    let count = 0;
    return { ids: joined, trained: pairs(pieces.slice(0, -1).map(({ length }) => (count += length))) };
  }
  const boundaries = offsets.map((offset) => {
    const prefix = encode(text.slice(0, offset));
    if (startsWith(whole, prefix)) return prefix.length;
    throw new NightstillError(
      'chat-template-invalid',
      `${name}: no token ends at ${JSON.stringify(text.slice(Math.max(0, offset - 20), offset))}, where an answer begins or ends.`,
    );
  });
  return { ids: whole, trained: pairs(boundaries) };
}

const startsWith = (ids: Int32Array, prefix: Int32Array): boolean =>
  prefix.length <= ids.length && prefix.every((id, index) => ids[index] === id);

const pairs = (boundaries: readonly number[]): Span[] =>
  boundaries.flatMap((start, index) => {
    const end = boundaries[index + 1];
    return index % 2 === 0 && end !== undefined && end > start ? [{ start, end }] : [];
  });
