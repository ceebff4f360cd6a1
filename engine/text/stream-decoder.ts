/**
 * Decodes token ids one by one. A piece is handed out only when no later token can change it: a character whose bytes are
 * spread over several tokens comes whole, with the last of them.
 */
import { bytesOfToken } from './byte-alphabet.js';

export interface StreamDecoder {
  /** The text that this token completes; often empty. */
  readonly push: (id: number) => string;
  /** What is left when no token follows: a character that was begun is shown as U+FFFD. */
  readonly end: () => string;
}

interface StreamSettings {
  /** Tokens that stand for their own text, by id; they end a character that was begun. */
  readonly added: ReadonlyMap<number, string>;
  readonly special: ReadonlySet<number>;
  readonly skipSpecialTokens: boolean;
  /** Tokens in the byte alphabet, of a tokenizer that decodes them byte by byte; else undefined. */
  readonly tokenOf: ((id: number) => string | undefined) | undefined;
  readonly decode: (ids: readonly number[]) => string;
}

export const createStreamDecoder = (settings: StreamSettings): StreamDecoder =>
  settings.tokenOf === undefined ? decodeAgain(settings) : decodeBytes(settings, settings.tokenOf);

/** A byte order mark in the text is text. */
const newUtf8Decoder = () => new TextDecoder('utf-8', { ignoreBOM: true });

function decodeBytes(
  { added, special, skipSpecialTokens }: StreamSettings,
  tokenOf: (id: number) => string | undefined,
) {
  let utf8 = newUtf8Decoder();
  const end = (): string => {
    const rest = utf8.decode();
    utf8 = newUtf8Decoder();
    return rest;
  };
  const push = (id: number): string => {
    if (skipSpecialTokens && special.has(id)) return '';
    const own = added.get(id);
    if (own !== undefined) return end() + own;
    const bytes = bytesOfToken(tokenOf(id) ?? '');
    return bytes === undefined ? '' : utf8.decode(bytes, { stream: true });
  };
  return { push, end };
}

/** How many of the last tokens are kept when older ones are forgotten, and how many are decoded again for each new one at most. */
const rememberedTokens = 32;
const mostTokens = 8 * rememberedTokens;

/**
 * For decoders that look at their neighbours: the last tokens are decoded anew, and what may still change is held back. Older
 * tokens are forgotten where the younger ones alone give the end of the same text, so that a long stream costs no more a token.
 */
function decodeAgain({ decode }: StreamSettings): StreamDecoder {
  let ids: number[] = [];
  let given = '';
  const rest = (text: string): string => {
    if (!text.startsWith(given)) return '';
    const piece = text.slice(given.length);
    given = text;
    return piece;
  };
  const forget = (): void => {
    const younger = ids.slice(-rememberedTokens);
    const text = decode(younger);
    if (text === '' || text.startsWith('\uFFFD') || text.length > given.length || !given.endsWith(text)) return;
    [ids, given] = [younger, text];
  };
  return {
    push: (id) => {
      ids.push(id);
      const piece = rest(decode(ids).replace(/[\uFFFD\s]+$/u, ''));
      if (ids.length >= mostTokens) forget();
      return piece;
    },
    end: () => rest(decode(ids)),
  };
}
