/**
 * Texts as words over the byte alphabet, with their counts, cut as Qwen2's tokenizer cuts them. Long texts come in chunks: they
 * are cut only where no word can cross, so the size of a chunk changes nothing.
 */
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

/** Cuts a stream of text behind line breaks that a visible character follows: no word and no composition crosses those. */
export async function* atLineBreaks(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    rest += piece;
    const cut = lastCut(rest);
    if (cut === 0) continue;
    yield rest.slice(0, cut);
    rest = rest.slice(cut);
  }
  if (rest !== '') yield rest;
}

function lastCut(text: string): number {
  for (let at = text.lastIndexOf('\n'); at >= 0; at = at === 0 ? -1 : text.lastIndexOf('\n', at - 1)) {
    const next = text.codePointAt(at + 1);
    if (next !== undefined && /[^\p{White_Space}\p{M}]/u.test(String.fromCodePoint(next))) return at + 1;
  }
  return 0;
}
