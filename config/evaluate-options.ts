/**
 * What a plan may say of an evaluation. A scorer is kept with its version: a result of one version is never taken for that of
 * another, whoever named it without one.
 */
import { z } from 'zod';
import type { ScorerVersions } from './scorer-module.js';
import { sourceUrlSchema } from './source-url.js';

/** Scorers that every plan can name. A version is raised when any score could change. */
export const scorerVersions = { 'exact-match': 1, 'sql-execution': 1 } as const;

/** Numbers that an evaluation observes beside the scores. The latencies are absent where nothing was asked. */
export const evaluationObservations = [
  'latencyP50Ms',
  'latencyP95Ms',
  'requests',
  'sideBySide',
  'tokensPerSecond',
  'weightBytes',
  'peakMemoryBytes',
  'lastAttemptMs',
  'claims',
] as const;

function scorerSchema(versions: ScorerVersions) {
  const full = Object.entries(versions).map(([id, version]) => `${id}@${version}`);
  return z
    .enum([...Object.keys(versions), ...full])
    .transform((name) => full.find((each) => each === name || each.startsWith(`${name}@`)) ?? name);
}

/** `exact-match` of `exact-match@1`. */
export const scorerIdOf = (name: string): string => name.replace(/@\d+$/, '');

const count = (least: number, most: number) => z.int().min(least).max(most);

/** @param own scorers of the user's own, beside those that come along */
export const evaluateOptionsWith = (own: ScorerVersions = {}) => optionsOf(scorerSchema({ ...scorerVersions, ...own }));

const optionsOf = (scorer: ReturnType<typeof scorerSchema>) =>
  z
    .strictObject({
      scorers: z
        .array(scorer)
        .min(1)
        .refine((names) => new Set(names).size === names.length, 'scorers that differ')
        .describe(
          'What judges the answers: `exact-match`, `sql-execution`, which runs them on `database`, or a scorer of your own.',
        ),
      reference: z
        .string()
        .min(1)
        .optional()
        .describe('The field of a row that holds what should be answered. Default: the answer that the row ends with.'),
      database: sourceUrlSchema
        .optional()
        .describe('A SQLite database file or object, for `sql-execution`. It is never written to.'),
      maximumTokens: count(1, 131_072)
        .default(256)
        .describe('An answer is cut after that many tokens, and counted as cut.'),
      stop: z
        .array(z.string().min(1))
        .max(16)
        .default([])
        .describe('Texts that end an answer where the first of them begins.'),
      context: count(8, 131_072)
        .default(2048)
        .describe('Tokens of prompt and answer together, at most those that the model has positions for.'),
      sequences: count(1, 1024).default(8).describe('How many answers are written at once, always.'),
      sample: count(1, 10_000)
        .optional()
        .describe(
          'Ask so many of the rows that end with an answer, chosen by the digest of their ids: to see how many answers of its training a model recites.',
        ),
      onDifferentMachine: z
        .enum(['continue', 'wait'])
        .default('continue')
        .describe(
          'What a worker does with a checkpoint of a machine that computes other bits: go on, and say so, or leave it to another.',
        ),
    })
    .refine(({ sample, reference }) => sample === undefined || reference === undefined, {
      path: ['sample'],
      message: 'none beside reference: a sample is of the answers that rows end with',
    })
    .refine(({ scorers, database }) => scorers.some(isSql) === (database !== undefined), {
      path: ['database'],
      message: 'a SQLite database if sql-execution is among the scorers, else none',
    });

const isSql = (name: string): boolean => scorerIdOf(name) === 'sql-execution';

export const evaluateOptions = evaluateOptionsWith();
export type EvaluateOptions = z.output<typeof evaluateOptions>;
