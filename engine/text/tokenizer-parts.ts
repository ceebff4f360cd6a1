/**
 * What of a tokenizer.json the library takes on trust, and would answer with an endless loop, an endless list or ids that are
 * none. All else that is damaged it throws at. Regular expressions are those of the file: one that backtracks is not bounded here.
 */
import { z } from 'zod';
import { firstFault } from '../files/json-file.js';

/** Above every vocabulary; the library's tables are as long as the highest id. */
const maximumTokenId = 2 ** 24;
export const tokenIdSchema = z.int().min(0).max(maximumTokenId);

const patternSchema = z.union([z.looseObject({ String: z.string() }), z.looseObject({ Regex: z.string() })]);

const isSequence = (item: object): boolean => 'Sequence' in item;

/** By the type of a part. A chain of parts that each double a text would make it endless. */
const partSchemas: Readonly<Record<string, z.ZodType>> = {
  FixedLength: z.looseObject({ length: z.int().min(1) }),
  Split: z.looseObject({ pattern: patternSchema }),
  Replace: z.looseObject({ pattern: patternSchema, content: z.string() }),
  Prepend: z.looseObject({ prepend: z.string() }),
  Metaspace: z.looseObject({ replacement: z.string().regex(/^.$/su), str_rep: z.string().regex(/^.$/su).nullish() }),
  BPEDecoder: z.looseObject({ suffix: z.string().min(1) }),
  TemplateProcessing: z.looseObject({
    single: z
      .array(z.looseObject({}))
      .max(256)
      .refine((items) => items.filter(isSequence).length === 1, 'expected the text once'),
  }),
};

const modelSchema = z.looseObject({
  // The library tries every part of a word.
  max_input_chars_per_word: z.int().min(1).max(1000).nullish(),
  unk_id: tokenIdSchema.nullish(),
  vocab: z.unknown(),
});

/** What is wrong, with the place, or undefined. */
export function findBadPart(file: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder']) {
    const fault = faultWithin(file[name], name);
    if (fault !== undefined) return fault;
  }
  if (countOf('ByteLevel', file['pre_tokenizer']) > 1) return 'pre_tokenizer: expected one ByteLevel, found more';
  return modelFault(file['model']);
}

function modelFault(model: unknown): string | undefined {
  const { data, error } = modelSchema.safeParse(model);
  if (error) return `model.${firstFault(error)}`;
  const { vocab, unk_id: unknown } = data;
  if (Array.isArray(vocab) && typeof unknown === 'number' && unknown >= vocab.length)
    return `model.unk_id: expected one of ${vocab.length} pieces, found ${unknown}`;
  return vocabularyFault(vocab);
}

function faultWithin(part: unknown, place: string): string | undefined {
  if (typeof part !== 'object' || part === null) return undefined;
  const type: unknown = 'type' in part ? part.type : undefined;
  const schema = typeof type === 'string' && Object.hasOwn(partSchemas, type) ? partSchemas[type] : undefined;
  const checked = schema?.safeParse(part);
  if (checked?.error) return `${place}.${firstFault(checked.error)}`;
  for (const [name, inner] of Object.entries(part)) {
    const fault = faultWithin(inner, `${place}.${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const countOf = (type: string, part: unknown): number =>
  typeof part !== 'object' || part === null
    ? 0
    : Object.values(part).reduce<number>(
        (count, inner) => count + countOf(type, inner),
        'type' in part && part.type === type ? 1 : 0,
      );

/** Pieces with their scores, or ids by token: hundreds of thousands, so they are looked at by hand. */
function vocabularyFault(vocabulary: unknown): string | undefined {
  if (typeof vocabulary !== 'object' || vocabulary === null) return undefined;
  const [isSound, expected] = Array.isArray(vocabulary)
    ? [isPiece, 'a text and its score']
    : [isTokenId, `an id of at most ${maximumTokenId}`];
  const unsound = Object.entries(vocabulary).find(([, entry]) => !isSound(entry));
  return unsound && `model.vocab.${unsound[0]}: expected ${expected}, found another value`;
}

const isTokenId = (entry: unknown): boolean =>
  typeof entry === 'number' && Number.isInteger(entry) && entry >= 0 && entry <= maximumTokenId;

const isPiece = (entry: unknown): boolean =>
  Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number' && Number.isFinite(entry[1]);
