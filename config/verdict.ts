/**
 * What a gate decided, and what it read: the one part of an artifact `verdict`. Everybody who acts on a decision, or shows one,
 * reads it from there.
 */
import { z } from 'zod';
import { systems } from './gate-schema.js';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** What serves under a name: whoever moves it expects this. */
export const servedSchema = z.object({ counter: z.int().positive(), digest }).nullable();

const interval = z.object({ lower: z.number(), upper: z.number(), level: z.number() });

export const verdictSchema = z.looseObject({
  version: z.literal(1),
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'unchanged']),
  /** A line a requirement, as a person reads it. */
  reasons: z.array(z.string()),
  /** Name and alias that it is decided for. */
  name: z.string(),
  alias: z.string(),
  /** Digest of the model that was judged. */
  candidate: digest,
  champion: servedSchema,
  /** A requirement each: what was compared, by which test, and what came out. */
  comparisons: z.array(z.looseObject({ outcome: z.string(), reason: z.string() })),
  /** The candidate's mean of each scorer, and that of each other model whose scores were given. */
  scores: z.array(
    z.object({
      scorer: z.string(),
      items: z.int(),
      value: z.number(),
      interval,
      others: z.partialRecord(z.enum(systems), z.number()),
    }),
  ),
  /** Digests of the scores that were read. */
  read: z.record(z.string(), digest),
});

export type VerdictRecord = z.output<typeof verdictSchema>;
