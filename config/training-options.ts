/**
 * What a plan may say of a training: for every stage that trains, and for each kind. Lengths in tokens, shares from 0 to 1. The
 * stage kinds publish these schemas, and the process that trains reads its job by the same ones.
 */
import { z } from 'zod';

const count = (least: number, most: number) => z.int().min(least).max(most);
const share = z.number().min(0).max(1);

/** A duration as people write it: `90s`, `5m`, `2h`; in milliseconds when parsed. */
const durationSchema = z
  .union([z.int().positive(), z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'a duration such as 90s, 5m or 2h')])
  .transform((written) => (typeof written === 'number' ? written : milliseconds(written)));

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

function milliseconds(written: string): number {
  const [, amount = '', unit = 's'] = /^([\d.]+)(ms|s|m|h)$/.exec(written) ?? [];
  return Math.round(Number(amount) * unitMs[unit as keyof typeof unitMs]);
}

const trainingOptions = {
  /** How often the data is gone through; `steps`, when given, ends it earlier. */
  epochs: count(1, 10_000).default(3),
  steps: count(1, 10_000_000).optional(),
  /** Tokens of a row: samples are packed into rows, longer ones are treated as `tooLong` says. */
  rowTokens: count(8, 131_072).default(512),
  tooLong: z.enum(['truncate', 'split', 'drop-counted', 'refuse']).default('truncate'),
  /** Which answers of a conversation are learned. */
  answers: z.enum(['all', 'last']).default('all'),
  /** Rows of a micro-batch. */
  rows: count(1, 4096).default(8),
  /** Micro-batches whose gradients are added up before an update. */
  microBatches: count(1, 1024).default(1),
  learningRate: z.number().positive().max(1).default(2e-4),
  schedule: z.enum(['constant', 'linear', 'cosine']).default('cosine'),
  warmUpRatio: share.default(0.05),
  /** Learning rate at the end, as a share of the peak. */
  minimumRatio: share.default(0.1),
  weightDecay: z.number().min(0).max(1).default(0.1),
  beta1: share.default(0.9),
  beta2: share.default(0.95),
  epsilon: z.number().positive().default(1e-8),
  /** Gradients are clipped to this global norm. */
  maximumGradientNorm: z.number().positive().default(1),
  /** Of the order of the samples and of random weights. */
  seed: count(0, Number.MAX_SAFE_INTEGER).default(0),
  /** In how many pieces the logits of a micro-batch are made: less memory, a little slower. */
  vocabularyChunks: count(1, 1024).default(1),
  /** Compute the inside of each layer again in the backward pass instead of keeping it. */
  recompute: z.boolean().default(false),
  /** How much work, in time, a crash may cost at most. */
  loseAtMost: durationSchema.default(300_000),
  /** What a worker does with a checkpoint of a machine that computes other bits: go on, and say so, or leave it to another. */
  onDifferentMachine: z.enum(['continue', 'wait']).default('continue'),
} as const;

const layers = z.array(z.int().min(0)).min(1);

export const fineTuneOptions = z.strictObject({
  /** Which weights the student begins with. */
  start: z
    .union([
      z.literal('given'),
      z.strictObject({ layers: z.union([layers, z.strictObject({ every: z.int().min(1) })]) }),
      z.strictObject({
        random: z.strictObject({ standardDeviation: z.number().positive().max(1).default(0.02) }),
      }),
    ])
    .default('given'),
  ...trainingOptions,
});

export const distillOptions = z.strictObject({
  /** α: the share of cross-entropy in the loss. */
  crossEntropyShare: z.number().min(0).max(1).default(0.5),
  temperature: z.number().positive().max(100).default(2),
  /** Is the divergence multiplied by T²? Toolkits differ silently in this. */
  timesTemperatureSquared: z.boolean().default(true),
  divergence: z
    .union([z.enum(['forward-kl', 'reverse-kl']), z.strictObject({ jsd: z.number().gt(0).lt(1) })])
    .default('forward-kl'),
  /** What becomes of the probability outside captured top-k logits. */
  missingMass: z.enum(['tail-bucket', 'truncate', 'renormalise', 'residual-to-label']).default('tail-bucket'),
  ...trainingOptions,
});

export type FineTuneOptions = z.output<typeof fineTuneOptions>;
export type DistillOptions = z.output<typeof distillOptions>;
/** What both have in common. */
export type TrainingOptions = Omit<FineTuneOptions, 'start'>;
