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
  readonly decoder: unknown;
}

const constructor: unknown = Tokenizer;

/** @throws Error of the library for parts of a tokenizer.json that it does not know. */
export function createReferenceTokenizer(json: object): ReferenceTokenizer {
  const Constructor = constructor as new (file: object, settings: object) => ReferenceTokenizer;
  // The settings of a tokenizer_config.json could change ids that the digest of tokenizer.json stands for.
  const tokenizer = new Constructor(json, {});
  keepByteOrderMarks(tokenizer.decoder);
  return tokenizer;
}

/** Some decoders of the library drop U+FEFF where a text begins with it; the reference keeps it. */
function keepByteOrderMarks(decoder: unknown): void {
  if ((typeof decoder !== 'object' && typeof decoder !== 'function') || decoder === null) return;
  if ('text_decoder' in decoder) decoder.text_decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  if ('decoders' in decoder && Array.isArray(decoder.decoders)) decoder.decoders.forEach(keepByteOrderMarks);
}
