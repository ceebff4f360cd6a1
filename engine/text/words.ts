/**
 * Texts as words over the byte alphabet, with their counts, cut as Qwen2's tokenizer cuts them. Long texts come in chunks: they
 * are cut only where no word can cross, so the size of a chunk changes nothing.
 */
import { NightstillError } from '../../config/errors.js';
import { characterOfByte } from './byte-alphabet.js';

/** Qwen2's pattern as tokenizer.json states it. */
export const qwen2Pattern = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

/** The same for JavaScript, whose \s holds U+FEFF and lacks U+0085, and which has no (?i:…) before Node.js 23. */
const word = new RegExp(
  qwen2Pattern
    .replace(`(?i:'s|'t|'re|'ve|'m|'ll|'d)`, `'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])`)
    .replaceAll(String.raw`\S`, String.raw`\P{White_Space}`)
    .replaceAll(String.raw`\s`, String.raw`\p{White_Space}`),
  'gu',
);

export interface WordCounter {
  readonly add: (text: string) => void;
  /** Words in the byte alphabet → how often they occurred. */
  readonly words: () => ReadonlyMap<string, number>;
}

export function createWordCounter(): WordCounter {
  const occurrences = new Map<string, number>();
  const add = (text: string): void => {
    for (const [found] of text.normalize('NFC').matchAll(word))
      occurrences.set(found, (occurrences.get(found) ?? 0) + 1);
  };
  return { add, words: () => new Map([...occurrences].map(([found, count]) => [inByteAlphabet(found), count])) };
}

const inByteAlphabet = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => characterOfByte[byte]).join('');

/** More than this without a place to cut is no text that words can be learned of. */
const maximumStretch = 2 ** 26;

/**
 * Cuts a stream of text where no word and no composition crosses: behind a line break that a visible character follows, and
 * behind the last letter of a word. Each character is looked at once, however long a line is.
 * @param stretch characters that may come without such a place
 * @throws tokenizer-training-invalid when there are more
 */
export async function* atWordBreaks(pieces: AsyncIterable<string>, stretch = maximumStretch): AsyncGenerator<string> {
  let waiting: string[] = [];
  let length = 0;
  let last = '';
  for await (const piece of pieces) {
    // The cut may lie between two pieces, so the last character before a piece is looked at with it.
    const cut = lastCut(last + piece) - last.length;
    if (cut >= 0) {
      yield waiting.join('') + piece.slice(0, cut);
      waiting = [];
      length = 0;
    }
    const rest = piece.slice(Math.max(0, cut));
    waiting.push(rest);
    length += rest.length;
    last = piece.at(-1) ?? last;
    if (length > stretch)
      throw new NightstillError(
        'tokenizer-training-invalid',
        `Tokenizer training: expected the end of a word within ${stretch} characters, found none.`,
      );
  }
  const rest = waiting.join('');
  if (rest !== '') yield rest;
}

/** Marks compose with the letter before them, and half a surrogate pair may be a mark. */
const breaks = /\n(?=[^\p{White_Space}\p{M}])|[\p{L}\p{N}](?=[^\p{L}\p{M}\p{Cs}])/gu;

const usualDistance = 256;

/** Behind the last break, or −1. The end of the text is looked at first: most often it holds one. */
function lastCut(text: string): number {
  for (const from of new Set([Math.max(0, text.length - usualDistance), 0])) {
    let cut = -1;
    for (const { index, 0: found } of text.slice(from).matchAll(breaks)) cut = from + index + found.length;
    if (cut >= 0) return cut;
  }
  return -1;
}
