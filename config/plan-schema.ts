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
  /** Where an input comes from, `node.output`, when the needs do not say it without doubt. */
  inputs: z.record(z.string(), z.string().regex(/^[a-z0-9][a-z0-9._-]*\.[A-Za-z]+$/, 'node.output')).default({}),
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
export const maximumNodes = 300;

const numericsSchema = z.strictObject({
  runner: z.enum(['tensorflow', 'wasm']).default('tensorflow'),
  tensorflow: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, 'a release such as 2.21.0')
    .default('2.21.0'),
  xla: z.boolean().default(false),
  precision: z.enum(['float32', 'bfloat16']).default('float32'),
  threads: z.int().min(1).max(1024).default(2),
});

export const planFileSchema = z.strictObject({
  name: nameSchema,
  store: z.string().regex(/^(file|s3):\/\//, 'a store URL: file:///directory or s3://bucket/prefix'),
  /** A model directory. */
  teacher: z.string().optional(),
  /** A model directory, or layers of the teacher. */
  student: z
    .union([z.string(), z.strictObject({ layers: z.union([z.array(z.int()), z.strictObject({ every: z.int() })]) })])
    .optional(),
  /** A JSONL file or object. */
  dataset: z.string().optional(),
  /** Conversations that are never trained on. */
  evaluation: z.string().optional(),
  numerics: numericsSchema.default(numericsSchema.parse({})),
  onFailure: z.enum(['fail-fast', 'finish-others']).default('fail-fast'),
  loseAtMost: z.union([z.string(), z.int()]).optional(),
  onDifferentMachine: z.enum(['continue', 'wait']).optional(),
  /** Default: the standard plan, from dataset to distilled student. */
  stages: z.array(stageSchema).min(1).max(maximumNodes).optional(),
});

export type PlanFile = z.infer<typeof planFileSchema>;
export type StageOfFile = z.infer<typeof stageSchema>;
