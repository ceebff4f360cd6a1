/**
 * What a gate decided, and what it read: the one part of an artifact `verdict`. Everybody who acts on a decision, or shows one,
 * reads it from there.
 */
import { z } from 'zod';
import { gateSchema, systems } from './gate-schema.js';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** What serves under a name: whoever moves it expects this. */
export const servedSchema = z.object({ counter: z.int().positive(), digest }).nullable();

const interval = z.object({ lower: z.number(), upper: z.number(), level: z.number() });

/** What came of one requirement, as numbers: whoever tells of it puts them into words. */
export const comparisonSchema = z.object({
  requirement: gateSchema.element,
  outcome: z.enum(['pass', 'fail', 'inconclusive', 'not-applicable']),
  /** Why nothing was held against the requirement. */
  because: z.enum(['too-few-items', 'no-champion', 'nothing-to-share']).optional(),
  items: z.number().optional(),
  estimate: z.number().optional(),
  interval: interval.optional(),
  method: z.string().optional(),
  p: z.number().optional(),
  /** Of the candidate, its interval, and that of the model that it is compared with. */
  mean: z.number().optional(),
  ownInterval: interval.optional(),
  otherMean: z.number().optional(),
  /** Of an observation: the execution that made it. */
  source: z.string().optional(),
});
export type ComparisonRecord = z.output<typeof comparisonSchema>;

/** None where one of them is of another form: a stage of a user's own may give what it likes. */
export const readComparisons = (found: unknown): readonly ComparisonRecord[] =>
  z.array(comparisonSchema).safeParse(found).data ?? [];

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
