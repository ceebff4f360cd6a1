/** What a plan may say of a stage that captures the distributions of a teacher behind an endpoint. */
import { z } from 'zod';
import { budgetSchema, countedByPrices, isCounted } from './budget-schema.js';
import { scoringForms } from './scoring-need.js';
import { teacherEndpointSchema } from './teacher-schema.js';
import { logitOptions } from './training-options.js';

export const captureEndpointOptions = z
  .strictObject({
    teacher: teacherEndpointSchema.describe(
      'Whose distributions: an endpoint that gives log-probabilities of prompts.',
    ),
    budget: budgetSchema.optional().describe('What may be spent.'),
    form: z
      .enum(scoringForms)
      .default('prompt_logprobs')
      .describe(
        'How it is asked: `prompt_logprobs` (vLLM, nightstill serve), or `echo` with `logprobs`, where tokens may be named by their text alone.',
      ),
    temperatures: z
      .tuple([z.literal(1, { error: '1: an endpoint gives log-probabilities, and another needs raw logits' })], {
        error: '[1]: an endpoint gives log-probabilities, and another temperature needs raw logits',
      })
      .default([1])
      .describe('At which the distributions can be learned: 1 alone.'),
    minimumAligned: z
      .number()
      .min(0)
      .max(1)
      .default(0.9)
      .describe(
        'The share of samples whose reply must fit to their tokens. Those that do not fit are left out, and counted.',
      ),
    ...logitOptions,
  })
  .refine(isCounted, countedByPrices);

export type CaptureEndpointOptions = z.output<typeof captureEndpointOptions>;
