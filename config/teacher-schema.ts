/**
 * A teacher, as a plan may describe it. One in a directory of this machine: where it lies, and what its terms allow. One behind an
 * endpoint that speaks the chat API of OpenAI: where it is, which model answers and which revision of it, what its terms allow, what it
 * costs, and how hard it may be asked. Keys are named, never given.
 */
import { z } from 'zod';
import { durationSchema } from './duration.js';
import type { JsonObject } from './json.js';
import { sourceUrlSchema } from './source-url.js';

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** `https://host/v1`, without query and with no slash at its end. */
const endpointSchema = z
  .string({ error: 'an http:// or https:// URL' })
  .refine((text) => /^https?:\/\/[^/]/.test(text) && URL.canParse(text), 'an http:// or https:// URL')
  .refine((text) => !/[?#]/.test(text), 'a URL without query and fragment')
  .transform((text) => text.replace(/\/+$/, ''));

const price = z.number().min(0).max(1e6);

const termsSchema = z.strictObject(
  {
    licence: z.string().min(1).max(200).describe('Under which licence or terms its answers may be used.'),
    allowsTraining: z
      .union([z.enum(['yes', 'no']), z.strictObject({ approvedBy: z.string().min(1).max(200) })])
      .refine((allows) => allows !== 'no', 'yes, or { approvedBy } naming who has approved it: `no` asks nothing')
      .describe('Do they allow to train another model with its answers? `yes`, `no` or `{ approvedBy: a name }`.'),
  },
  { error: 'what the terms of the teacher are: { licence, allowsTraining }' },
);

const pricesSchema = z.strictObject({
  inputUsdPerMillion: price.describe('US dollars for a million tokens of prompts.'),
  outputUsdPerMillion: price.describe('US dollars for a million tokens of answers.'),
  asOf: z.iso.date().describe('The day on which these were its prices.'),
});

/** Node's fetch gives up an endpoint that has sent no headers for 300 s. */
const longestTimeoutMs = 290_000;

const limitsSchema = z.strictObject({
  parallel: z.int().min(1).max(512).default(8).describe('Requests under way at once.'),
  requestsPerMinute: z.number().positive().optional().describe('Absent: no limit.'),
  tokensPerMinute: z
    .number()
    .positive()
    .optional()
    .describe(
      'Of prompt and answer; each request counts at its upper bound until its reply says less. Absent: no limit.',
    ),
  timeout: durationSchema
    .refine((ms) => ms <= longestTimeoutMs, 'at most 290s: a connection that is silent for five minutes is closed')
    .default(120_000)
    .describe('One request may take this long: `2m`, at most `290s`.'),
  attempts: z
    .int()
    .min(1)
    .max(20)
    .default(6)
    .describe(
      'How often one request is tried, after failures that may pass: twice as often while the endpoint takes no request (nobody there, 429, 503, 529), at most twice after silence.',
    ),
});

const wantedAge = 'a number of days such as 30d';

const canarySchema = z.strictObject({
  prompts: z
    .array(z.string().min(1))
    .min(1)
    .max(16)
    .describe(
      'Asked in every run, at temperature 0. The first answers for a revision are what later ones are held against.',
    ),
  maximumTokens: z.int().min(1).max(1024).default(64).describe('Of an answer.'),
  onDrift: z
    .enum(['report', 'ask-again'])
    .default('report')
    .describe('When answers have changed: say so, or also ask all prompts of the dataset anew.'),
});

const ageSchema = z.string({ error: wantedAge }).regex(/^[1-9]\d{0,3}d$/, wantedAge);

export const tokenLimitFields = ['max_tokens', 'max_completion_tokens'] as const;

/** What every chat request says, and some endpoints take from none. */
export const omittableFields = ['temperature', 'top_p', 'seed', 'n'] as const;
export type OmittableField = (typeof omittableFields)[number];

export const teacherEndpointSchema = z
  .strictObject({
    endpoint: endpointSchema.describe('URL under which `/chat/completions` lies: `https://host/v1`.'),
    model: z.string().min(1).max(200).describe('As requests name it.'),
    revision: z
      .string()
      .min(1)
      .max(200)
      .describe('Which revision of the model answers: declared, since an endpoint has no digest.'),
    servedAs: z.string().min(1).max(200).optional().describe('The name that its replies bear, where it is another.'),
    tokenLimitField: z
      .enum(tokenLimitFields)
      .default('max_tokens')
      .describe(
        'The field that bounds an answer: some hosted models, those that reason, take max_completion_tokens alone.',
      ),
    omittedFields: z
      .array(z.enum(omittableFields))
      .default([])
      .describe(
        'Fields that requests to it leave out, since it refuses them: `[temperature, top_p]` for hosted models that reason.',
      ),
    apiKey: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,62}$/, 'the name by which workers know the key: 1 to 63 characters of a-z 0-9 -')
      .optional()
      .describe('The name of a secret that the io workers are configured with.'),
    plainHttp: z.boolean().default(false).describe('May prompts travel unencrypted, to another machine than this?'),
    terms: termsSchema.describe('Required: nothing is asked before they are known.'),
    prices: pricesSchema.optional().describe('Absent: money is `not given`.'),
    limits: limitsSchema.default(limitsSchema.parse({})).describe('How hard it may be asked.'),
    canary: canarySchema
      .optional()
      .describe('A few prompts that tell whether the teacher has changed behind its revision.'),
    maxAge: ageSchema
      .optional()
      .describe(
        'Recorded answers that are older, in days of UTC, are asked for again: `30d`. Absent: answers never age.',
      ),
  })
  .refine(({ endpoint, plainHttp }) => plainHttp || isGuarded(endpoint), {
    path: ['endpoint'],
    error: 'https, or plainHttp: true where prompts may travel unencrypted',
  })
  .refine((teacher) => teacher.canary?.onDrift !== 'ask-again' || isGreedy(teacher), {
    path: ['canary', 'onDrift'],
    error:
      'report: answers without the field temperature differ by chance, and everything would be asked anew each time',
  });

/** A model directory, and what its licence allows. */
export const teacherDirectorySchema = z.strictObject({
  // With one it is another kind of teacher, whose mistakes are told as its own.
  endpoint: z.never().optional(),
  model: sourceUrlSchema.describe('Its directory.'),
  terms: termsSchema.describe('Required where it answers: nothing is learned from answers before they are known.'),
});

export type TeacherEndpoint = z.output<typeof teacherEndpointSchema>;
/** A teacher as it is asked: behind an endpoint, or a model on this machine. */
export type AskedTeacher = Pick<
  TeacherEndpoint,
  'endpoint' | 'model' | 'revision' | 'servedAs' | 'tokenLimitField' | 'omittedFields' | 'prices' | 'limits'
>;
export type Prices = z.output<typeof pricesSchema>;

const isGuarded = (endpoint: string): boolean =>
  endpoint.startsWith('https:') || !URL.canParse(endpoint) || isLoopback(new URL(endpoint));

/** Is it on this machine? */
export const isLoopback = ({ hostname }: URL): boolean => loopback.test(hostname);

/** Can it be asked for its likeliest answer? */
export const isGreedy = ({ omittedFields }: { readonly omittedFields: readonly OmittableField[] }): boolean =>
  !omittedFields.includes('temperature');

/** What changes its answers. Neither limits, prices and terms do, nor the key. */
export const teacherIdentity = (teacher: TeacherEndpoint): JsonObject => {
  const { endpoint, model, revision, tokenLimitField, omittedFields } = teacher;
  return {
    endpoint,
    model,
    revision,
    // An endpoint may count what it thinks as well. Left out where it is the usual one.
    ...(tokenLimitField !== 'max_tokens' && { tokenLimitField }),
    ...(omittedFields.length > 0 && {
      omittedFields: omittableFields.filter((field) => omittedFields.includes(field)),
    }),
  };
};
