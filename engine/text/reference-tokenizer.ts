/**
 * The seam to @huggingface/tokenizers: its declarations import each other in a way that Node's module resolution refuses, so the part
 * of them that is used stands here.
 */
import { Tokenizer } from '@huggingface/tokenizers';

export interface ReferenceTokenizer {
  encode(
    text: string,
    options: { readonly add_special_tokens: boolean },
  ): { readonly ids: readonly (number | undefined)[]; readonly tokens: readonly string[] };
  decode(
    ids: readonly number[],
    options: { readonly skip_special_tokens: boolean; readonly clean_up_tokenization_spaces: boolean },
  ): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  /** Tokens by id; as long as the highest id needs. */
  readonly model: { readonly vocab: { readonly length: number } };
  readonly normalizer: ((text: string) => string) | null;
  readonly pre_tokenizer: unknown;
  readonly decoder: unknown;
}

const constructor: unknown = Tokenizer;

/**
 * @param addedTokens of the file: their texts
 * @throws Error of the library for parts of a tokenizer.json that it does not know
 */
export function createReferenceTokenizer(json: object, addedTokens: readonly string[]): ReferenceTokenizer {
  const Constructor = constructor as new (file: object, settings: object) => ReferenceTokenizer;
  const open = (file: object): ReferenceTokenizer => {
    // The settings of a tokenizer_config.json could change ids that the digest of tokenizer.json stands for.
    const tokenizer = new Constructor(file, {});
    for (const part of [tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder]) adjust(part);
    return tokenizer;
  };
  // The constructor normalises added tokens before its parts can be adjusted: what is too much for them is found beforehand.
  const { normalizer } = open({ ...json, added_tokens: [], model: { type: 'BPE', vocab: {}, merges: [] } });
  if (normalizer !== null) addedTokens.forEach((token) => normalizer(token));
  return open(json);
}

/** Some decoders drop U+FEFF where a text begins with it; the reference keeps it. What replaces must not grow without end. */
function adjust(part: unknown): void {
  if ((typeof part !== 'object' && typeof part !== 'function') || part === null) return;
  if ('text_decoder' in part) part.text_decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  if ('pattern' in part && part.pattern instanceof RegExp && isReplace(part))
    part.pattern = boundedReplace(part.pattern);
  for (const name of ['normalizers', 'tokenizers', 'decoders'] as const) {
    const inner: unknown = Reflect.get(part, name);
    if (Array.isArray(inner)) inner.forEach(adjust);
  }
}

const isReplace = (part: object): boolean =>
  'config' in part &&
  typeof part.config === 'object' &&
  part.config !== null &&
  'type' in part.config &&
  part.config.type === 'Replace';

const mostText = 2 ** 24;

/** What `replaceAll` takes for a pattern. The replacement is meant to the letter, as in the reference: `$` is no sign. */
const boundedReplace = (pattern: RegExp) => ({
  [Symbol.replace]: (text: string, replacement: string): string => {
    let length = text.length;
    return text.replaceAll(pattern, (found) => {
      length += replacement.length - found.length;
      if (length > mostText)
        throw new Error(`expected a text of at most ${mostText} characters after Replace, found more`);
      return replacement;
    });
  },
});
