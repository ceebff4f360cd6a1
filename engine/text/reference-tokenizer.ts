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
  get_vocab(): ReadonlyMap<string, number>;
}

const constructor: unknown = Tokenizer;

/** @throws Error of the library for parts of a tokenizer.json that it does not know. */
export function createReferenceTokenizer(json: object, config: object): ReferenceTokenizer {
  const Constructor = constructor as new (file: object, settings: object) => ReferenceTokenizer;
  return new Constructor(json, config);
}
