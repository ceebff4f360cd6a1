/**
 * Text to token ids and back, as tokenizer.json says: the same ids as the reference implementation gives. Special tokens written in
 * a text become what they are, as there. Ids beyond the vocabulary (a padded embedding has some) decode to nothing. Nothing is taken
 * from tokenizer_config.json: its clean-up of spaces corrupts what byte-pair tokenizers decode, and its other wishes are those of
 * tokenizers without a tokenizer.json; transformers 5 passes over them too.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { excerpt, reasonOf } from '../files/excerpt.js';
import { firstFault, parseJsonFile } from '../files/json-file.js';
import { readOptionalText, readText, type TextLimits } from '../files/regular-file.js';
import { createReferenceTokenizer, type ReferenceTokenizer } from './reference-tokenizer.js';
import { createStreamDecoder, type StreamDecoder } from './stream-decoder.js';
import { findBadPart, tokenIdSchema } from './tokenizer-parts.js';

export interface DecodeOptions {
  /** Leave special tokens out. Default false. */
  readonly skipSpecialTokens?: boolean;
}

export interface Tokenizer {
  /** Of what decides about ids and text: equal digests give equal ids for every text. */
  readonly digest: string;
  /** One more than the highest id. */
  readonly vocabularySize: number;
  /** Special tokens, such as <|im_end|>, with their ids. */
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly idOf: (token: string) => number | undefined;
  /**
   * @param addSpecialTokens what the post-processor adds around a text, such as a beginning of sequence. Default true.
   * @throws tokenizer-invalid when a part of the file that this text needs is damaged, or it has no token for it
   */
  readonly encode: (text: string, options?: { readonly addSpecialTokens?: boolean }) => Int32Array;
  readonly decode: (ids: Iterable<number>, options?: DecodeOptions) => string;
  /** Decodes ids as they come; the pieces together are what `decode` gives, and none ends within a character. */
  readonly streamDecoder: (options?: DecodeOptions) => StreamDecoder;
}

const addedTokenSchema = z.looseObject({
  id: tokenIdSchema,
  content: z.string().min(1),
  special: z.boolean().default(false),
});

const fileSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).default([]),
  model: z.looseObject({ type: z.string().optional() }),
  decoder: z.looseObject({ type: z.string() }).nullish(),
});

const invalid = (source: string, found: string, cause?: unknown): NightstillError =>
  new NightstillError('tokenizer-invalid', `${source}: ${excerpt(found)}.`, { cause });

const limits: TextLimits = { maximumBytes: 256 * 1024 * 1024, otherwise: 'tokenizer-invalid' };

/** Reads tokenizer.json. @throws model-file-missing, tokenizer-invalid */
export async function openTokenizer(directory: string): Promise<Tokenizer> {
  const path = join(directory, 'tokenizer.json');
  const text = await readText(path, limits);
  return createTokenizer(parseJsonFile(text, path, 'tokenizer-invalid'), path);
}

/** The content of tokenizer_config.json; an empty object when there is none. @throws model-file-missing, tokenizer-invalid */
export async function readTokenizerConfig(directory: string): Promise<Readonly<Record<string, unknown>>> {
  const path = join(directory, 'tokenizer_config.json');
  const text = await readOptionalText(path, limits);
  const parsed = z.looseObject({}).safeParse(parseJsonFile(text ?? '{}', path, 'tokenizer-invalid'));
  if (!parsed.success) throw invalid(path, 'expected an object');
  return parsed.data;
}

/**
 * @param json the content of tokenizer.json.
 * @throws tokenizer-invalid
 */
export function createTokenizer(json: unknown, source = 'tokenizer.json'): Tokenizer {
  const file = fileSchema.safeParse(json);
  if (!file.success) throw invalid(source, firstFault(file.error));
  const bad = findBadPart(file.data);
  if (bad !== undefined) throw invalid(source, bad);
  const added = new Map(file.data.added_tokens.map(({ id, content }) => [id, content]));
  const inner = refuseDamage(source, () => createReferenceTokenizer(file.data, [...added.values()]));
  const specialTokens = new Map(
    file.data.added_tokens.filter(({ special }) => special).map(({ id, content }) => [content, id]),
  );
  const vocabularySize = [...added.keys()].reduce((size, id) => Math.max(size, id + 1), inner.model.vocab.length);
  const decode = (ids: Iterable<number>, { skipSpecialTokens = false }: DecodeOptions = {}): string => {
    const known = [...ids].filter((id) => inner.id_to_token(id) !== undefined);
    if (known.length === 0) return '';
    const options = { skip_special_tokens: skipSpecialTokens, clean_up_tokenization_spaces: false };
    return refuseDamage(source, () => inner.decode(known, options));
  };
  const byteLevel = file.data.decoder?.type === 'ByteLevel';
  return {
    digest: digestOf(json),
    vocabularySize,
    specialTokens,
    idOf: (token) => inner.token_to_id(token),
    encode: (text, { addSpecialTokens = true } = {}) => encode(inner, text, addSpecialTokens, source),
    decode,
    streamDecoder: (options = {}) =>
      createStreamDecoder({
        added,
        special: new Set(specialTokens.values()),
        skipSpecialTokens: options.skipSpecialTokens ?? false,
        tokenOf: byteLevel ? (id) => inner.id_to_token(id) : undefined,
        decode: (ids) => decode(ids, options),
      }),
  };
}

/** The library trusts the file: what it throws, a TypeError too, means that a part of it is not as it must be. */
function refuseDamage<Result>(source: string, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    throw invalid(source, reasonOf(cause), cause);
  }
}

function encode(inner: ReferenceTokenizer, text: string, addSpecialTokens: boolean, source: string): Int32Array {
  const { ids, tokens } = refuseDamage(source, () => inner.encode(text, { add_special_tokens: addSpecialTokens }));
  return Int32Array.from(ids, (id, index) => {
    if (id !== undefined) return id;
    throw invalid(source, `the vocabulary has no token for ${JSON.stringify(tokens[index])}`);
  });
}

/** Truncation and padding are wishes of a caller, not properties of the tokenizer. */
function digestOf(json: unknown): string {
  const { truncation: _, padding: __, ...file } = z.looseObject({}).parse(json);
  return createHash('sha256').update(JSON.stringify(file)).digest('hex');
}
