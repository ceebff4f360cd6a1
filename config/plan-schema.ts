/**
 * What a user may write in a plan file. Only the shape is checked here; stage kinds, their options and the needs between
 * stages are resolved by `activities/resolve-plan.ts`, where the kinds are known.
 */
import { z } from 'zod';

/** Stands in file names, object keys and Temporal ids. */
const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, '1 to 63 characters of a-z 0-9 . _ -, the first a letter or digit');

const milliseconds = z
  .int()
  .min(100)
  .max(30 * 24 * 3600 * 1000);

const stageSchema = z.strictObject({
  id: nameSchema,
  uses: nameSchema,
  needs: z.array(nameSchema).default([]),
  with: z.record(z.string(), z.json()).default({}),
  timeouts: z
    .strictObject({ startToCloseMs: milliseconds.optional(), heartbeatMs: milliseconds.optional() })
    .default({}),
  retry: z
    .strictObject({
      initialIntervalMs: milliseconds.optional(),
      backoffCoefficient: z.number().min(1).max(10).optional(),
      maximumIntervalMs: milliseconds.optional(),
    })
    .default({}),
});

/** Temporal keeps the whole plan in the history of the run: larger ones are refused. */
const maximumNodes = 300;

export const planFileSchema = z.strictObject({
  name: nameSchema,
  store: z.string().regex(/^(file|s3):\/\//, 'a store URL: file:///directory or s3://bucket/prefix'),
  stages: z.array(stageSchema).min(1).max(maximumNodes),
});

export type PlanFile = z.infer<typeof planFileSchema>;
export type StageOfFile = PlanFile['stages'][number];
