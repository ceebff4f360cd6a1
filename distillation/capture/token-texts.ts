/**
 * The tokens of a tokenizer by their texts, for endpoints that name tokens so. Two ids may have one text: a part of a character has
 * none of its own. Such a text names no token.
 */
import type { Tokenizer } from '../../engine/index.js';

export class TokenTexts {
  readonly #tokenizer: Tokenizer;
  readonly #texts = new Map<number, string>();
  #ids: ReadonlyMap<string, number | undefined> | undefined;

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  textOf(id: number): string {
    const text = this.#texts.get(id) ?? this.#tokenizer.decode([id]);
    this.#texts.set(id, text);
    return text;
  }

  /** Undefined where texts cannot be compared: parts of characters, and white space, which endpoints write in many ways. */
  isTextOf(id: number, said: string): boolean | undefined {
    const [own, other] = [comparable(this.textOf(id)), comparable(said)];
    return own === undefined || other === undefined ? undefined : own === other;
  }

  /** Does `said` name this token: by its text, its spelling in the vocabulary, or `token_id:<number>`? */
  names(said: string, id: number | undefined): boolean {
    if (id === undefined) return false;
    return said === this.textOf(id) || numberIn(said) === id || this.#tokenizer.idOf(said) === id;
  }

  /** The one id of this name: a text, its spelling in the vocabulary, or `token_id:<number>`. */
  idOf(said: string): number | undefined {
    const number = numberIn(said);
    if (number !== undefined) return number;
    this.#ids ??= this.#byText();
    return this.#ids.has(said) ? this.#ids.get(said) : this.#tokenizer.idOf(said);
  }

  #byText(): ReadonlyMap<string, number | undefined> {
    const ids = new Map<string, number | undefined>();
    for (let id = 0; id < this.#tokenizer.vocabularySize; id += 1) {
      const text = this.textOf(id);
      if (text !== '') ids.set(text, ids.has(text) || text.includes(replacement) ? undefined : id);
    }
    return ids;
  }
}

const replacement = '\uFFFD';

/** `token_id:123`: what vLLM gives when it is asked for ids in place of texts. */
function numberIn(said: string): number | undefined {
  const [, digits] = /^token_id:(\d{1,9})$/.exec(said) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function comparable(text: string): string | undefined {
  const bare = text.replaceAll(/[ĠĊ▁\s]/gu, '');
  return bare === '' || bare.includes(replacement) || /^<0x[0-9A-F]{2}>$/.test(bare) ? undefined : bare;
}
