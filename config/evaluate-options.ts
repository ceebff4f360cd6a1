/**
 * What a plan may say of an evaluation. A scorer is kept with its version: a result of one version is never taken for that of
 * another, whoever named it without one.
 */
import { z } from 'zod';
import { sourceUrlSchema } from './source-url.js';

/** Scorers that a plan can name. A version is raised when any score could change. */
export const scorerVersions = { 'exact-match': 1, 'sql-execution': 1 } as const;
export type ScorerId = keyof typeof scorerVersions;

const scorerIds = Object.keys(scorerVersions) as ScorerId[];
const nameOf = (id: ScorerId) => `${id}@${scorerVersions[id]}` as const;

const scorerSchema = z
  .enum([...scorerIds, ...scorerIds.map(nameOf)])
  .transform((name) => scorerIds.map(nameOf).find((full) => full === name || full.startsWith(`${name}@`)) ?? name);

/** `exact-match` of `exact-match@1`. */
export const scorerIdOf = (name: string): string => name.replace(/@\d+$/, '');

const count = (least: number, most: number) => z.int().min(least).max(most);

export const evaluateOptions = z
  .strictObject({
    scorers: z
      .array(scorerSchema)
      .min(1)
      .refine((names) => new Set(names).size === names.length, 'scorers that differ')
      .describe('What judges the answers. `sql-execution` runs them on `database`.'),
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
    onDifferentMachine: z
      .enum(['continue', 'wait'])
      .default('continue')
      .describe(
        'What a worker does with a checkpoint of a machine that computes other bits: go on, and say so, or leave it to another.',
      ),
  })
  .refine(({ scorers, database }) => scorers.some(isSql) === (database !== undefined), {
    path: ['database'],
    message: 'a SQLite database if sql-execution is among the scorers, else none',
  });

const isSql = (name: string): boolean => scorerIdOf(name) === 'sql-execution';

export type EvaluateOptions = z.output<typeof evaluateOptions>;
