/** What one item came to: a line of the artifact `scores`. It holds nothing that differs between two evaluations of the same model. */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { canonicalJson, parseJson, type Json } from '../../storage/index.js';

/** Why an answer of a model ended. With `prompt-too-long` it was not asked, since its context has no room for an answer. */
export const finishes = ['stop', 'stop-string', 'length', 'prompt-too-long'] as const;
/** Why there is none of an endpoint: it would not say anything, or would not take the request. */
export const refusals = ['refused', 'rejected'] as const;

const count = z.int().nonnegative();

const resultSchema = z.object({
  id: z.string(),
  /** By the id of the scorer. */
  scores: z.record(z.string(), z.object({ score: z.number(), detail: z.string() })),
  /** The answer. */
  text: z.string(),
  finish: z.enum([...finishes, ...refusals]),
  promptTokens: count,
  generatedTokens: count,
  /** Of the tokens of the reference: Σ of the forward KL to the teacher. Absent where no teacher was given; 0 tokens: not measured. */
  divergence: z.object({ tokens: count, sum: z.number() }).optional(),
});
export type ItemResult = Readonly<z.output<typeof resultSchema>>;

/** @throws record-invalid */
export const linesOf = (results: readonly ItemResult[]): Buffer =>
  Buffer.from(results.map((result) => `${canonicalJson(result as Json)}\n`).join(''));

/** @throws record-invalid */
export function parseLines(bytes: Uint8Array): ItemResult[] {
  const lines = Buffer.from(bytes).toString().split('\n');
  return lines.filter((line) => line !== '').map((line) => parseResult(parseJson(line)));
}

function parseResult(value: Json): ItemResult {
  const parsed = resultSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new NightstillError(
    'record-invalid',
    `expected the scores of an item, found ${parsed.error.issues[0]?.message}`,
  );
}
