/** What a plan may say of a stage that asks a teacher for answers. */
import { z } from 'zod';
import { budgetSchema, countedByPrices, isCounted } from './budget-schema.js';
import { scoringNeedSchema } from './scoring-need.js';
import { teacherEndpointSchema, type OmittableField, type TeacherEndpoint } from './teacher-schema.js';

const mebibyte = 1024 * 1024;

/** Answers that are recorded, and stay out of the dataset unless the plan wants them. */
const keepable = ['cut-off', 'refused'] as const;

type Omitting = Pick<TeacherEndpoint, 'omittedFields'> | undefined;

const isSent = (field: OmittableField, teacher: Omitting): boolean => !teacher?.omittedFields.includes(field);

const omitted = (option: string) => ({
  path: [option],
  error: 'none: requests to this teacher leave it out (omittedFields)',
});

export const answerOptions = z
  .strictObject({
    teacher: teacherEndpointSchema
      .optional()
      .describe(
        'Who answers: an endpoint that speaks the chat API of OpenAI. Absent: the model that is the input `teacher`.',
      ),
    budget: budgetSchema.optional().describe('What may be spent.'),
    system: z
      .string()
      .min(1)
      .optional()
      .describe('Said before every conversation that has no system message of its own.'),
    temperature: z.number().min(0).max(2).default(0).describe('Of the sampling; 0 asks for the likeliest answer.'),
    topP: z.number().gt(0).max(1).default(1).describe('Of the sampling: only tokens within this share of probability.'),
    maximumTokens: z.int().min(1).max(1_000_000).default(1024).describe('Of an answer; longer ones are cut off.'),
    samples: z.int().min(1).max(64).default(1).describe('Answers to each prompt, each with a seed of its own.'),
    seed: z.int().min(0).max(2_147_480_000).default(0).describe('Of the first sample; the others follow.'),
    minimumYield: z
      .number()
      .min(0)
      .max(1)
      .default(0.9)
      .describe('The share of requests that must give an answer for the dataset.'),
    keep: z
      .array(z.enum(keepable))
      .default([])
      .describe('Answers that enter the dataset although they are cut off or refused: `[cut-off]`.'),
    answersSince: z.iso
      .date({ error: 'a day such as 2026-11-27' })
      .optional()
      .describe(
        'Answers that were recorded before this day (UTC) are asked for again. With `maxAge` of the teacher: so many days before that of the run.',
      ),
    scoring: z
      .array(scoringNeedSchema)
      .optional()
      .describe(
        'Log-probabilities of prompts that the endpoint must give: found out by one request of 8 tokens before the first answer is bought. Default: what stages `capture-endpoint` of the plan will ask of it.',
      ),
    context: z
      .int()
      .min(8)
      .max(131_072)
      .optional()
      .describe(
        'Of a model that is an input: tokens of prompt and answer together, at most those it has positions for. Default: 2048.',
      ),
    sequences: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe('Of a model that is an input: how many answers are written at once, always. Default: 8.'),
    shardBytes: z
      .int()
      .min(64 * 1024)
      .max(32 * mebibyte)
      .default(8 * mebibyte)
      .describe('A shard of the dataset is closed once it holds this many bytes.'),
  })
  .refine(isCounted, {
    path: ['budget'],
    error: 'an endpoint with prices as teacher beside it, by which spending is counted',
  })
  .refine(({ teacher, context }) => teacher === undefined || context === undefined, {
    path: ['context'],
    error: 'none: an endpoint has its own',
  })
  .refine(({ teacher, sequences }) => teacher === undefined || sequences === undefined, {
    path: ['sequences'],
    error: 'none: limits.parallel says how hard an endpoint is asked',
  })
  .refine(({ teacher, answersSince }) => teacher !== undefined || answersSince === undefined, {
    path: ['answersSince'],
    error: 'none: the answers of a model on a machine of yours do not age',
  })
  .refine(({ teacher, scoring }) => teacher !== undefined || scoring === undefined, {
    path: ['scoring'],
    error: 'none: a model on a machine of yours gives all logits',
  })
  .refine(({ teacher, temperature }) => isSent('temperature', teacher) || temperature === 0, omitted('temperature'))
  .refine(({ teacher, topP }) => isSent('top_p', teacher) || topP === 1, omitted('topP'))
  .refine(({ teacher, seed }) => isSent('seed', teacher) || seed === 0, omitted('seed'))
  .refine(({ teacher, samples, temperature }) => samples === 1 || temperature > 0 || !isSent('temperature', teacher), {
    path: ['samples'],
    error: '1 at temperature 0, where every sample is the same',
  });

export type AnswerOptions = z.output<typeof answerOptions>;

/** What a plan may say of a stage that asks whether a teacher has changed. */
export const canaryOptions = z
  .strictObject({
    teacher: teacherEndpointSchema
      .refine(({ canary }) => canary !== undefined, { path: ['canary'], error: 'the prompts to ask: { prompts }' })
      .describe('An endpoint with canaries.'),
    budget: budgetSchema.optional().describe('What may be spent.'),
  })
  .refine(isCounted, countedByPrices);

export type CanaryOptions = z.output<typeof canaryOptions>;
