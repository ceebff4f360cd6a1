/** What a store of logits says of itself, in every shard and in the artifact: whose, of which tokens, how much of them, and how. */
import { z } from 'zod';
import { maximumIdBits } from './packed-ids.js';

export const logitFormat = 'nightstill-logits-1';

export const logitHeaderSchema = z.object({
  /** Of the artifact of the teacher. */
  teacherDigest: z.string().min(1),
  tokenizerDigest: z.string().min(1),
  /** Of the teacher: ids are below it. */
  vocabularySize: z
    .int()
    .min(1)
    .max(2 ** maximumIdBits),
  /** Ids that are kept at each position. */
  k: z.int().min(1),
  /** At which the missing mass is known; at others nothing can be read. */
  temperatures: z.array(z.number().positive()).min(1),
  /** float16 rounds probabilities by less than 1 %, and takes half the place. */
  valueType: z.enum(['float32', 'float16']),
  /** How the mass of all other ids is written: log(r / (1 − r)). */
  missingMass: z.literal('log-odds').default('log-odds'),
});
export type LogitHeader = Readonly<z.output<typeof logitHeaderSchema>>;
export type NewLogitHeader = Readonly<z.input<typeof logitHeaderSchema>>;
