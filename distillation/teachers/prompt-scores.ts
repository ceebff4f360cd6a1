/** How probable the tokens of a prompt are, as an endpoint said it: arrays in memory, and text in a record. */
import { z } from 'zod';
import type { Json, JsonObject } from '../../storage/index.js';
import { replyInvalid } from './chat-reply.js';

/** L tokens, P = L − 1 positions: that of number n is about token n + 1. The entries of all positions follow each other. */
export interface PromptScores {
  /** By what the endpoint names tokens: by their ids, or by their texts alone. */
  readonly namedBy: 'id' | 'text';
  /** [P]: entries at each position. */
  readonly counts: Int32Array;
  /** Of each entry: the id, or the place of its text in `texts`. */
  readonly names: Int32Array;
  /** Of each entry, at temperature 1. */
  readonly logProbabilities: Float32Array;
  /** What the endpoint calls these ids; or all texts, by their places. */
  readonly texts: ReadonlyMap<number, string>;
  /** [L]: the tokens of the prompt, where they are named by text. */
  readonly prompt: Int32Array;
}

/** Of a prompt of one token. */
export const noScores: PromptScores = {
  namedBy: 'id',
  counts: new Int32Array(),
  names: new Int32Array(),
  logProbabilities: new Float32Array(),
  texts: new Map(),
  prompt: new Int32Array(),
};

const scoresSchema = z.looseObject({
  namedBy: z.enum(['id', 'text']),
  counts: z.base64(),
  names: z.base64(),
  logProbabilities: z.base64(),
  texts: z.array(z.tuple([z.int(), z.string()])),
  prompt: z.base64(),
});

/** Little-endian in base64: the byte order of every machine that this runs on. */
const encode = ({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

const decode = (text: string): ArrayBuffer => new Uint8Array(Buffer.from(text, 'base64')).buffer;

export const encodeScores = (scores: PromptScores): JsonObject => ({
  namedBy: scores.namedBy,
  counts: encode(scores.counts),
  names: encode(scores.names),
  logProbabilities: encode(scores.logProbabilities),
  texts: [...scores.texts].map(([name, text]) => [name, text]),
  prompt: encode(scores.prompt),
});

/** @throws teacher-reply-invalid */
export function decodeScores(json: Json): PromptScores {
  const parsed = scoresSchema.safeParse(json);
  if (!parsed.success) throw replyInvalid('recorded scores of a prompt', parsed.error.issues[0]?.message ?? 'others');
  const { namedBy, texts, ...encoded } = parsed.data;
  const ints = (text: string): Int32Array => new Int32Array(decode(text));
  return {
    namedBy,
    counts: ints(encoded.counts),
    names: ints(encoded.names),
    logProbabilities: new Float32Array(decode(encoded.logProbabilities)),
    texts: new Map(texts),
    prompt: ints(encoded.prompt),
  };
}
