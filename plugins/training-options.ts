/** What a plan may say of a training: the same for every stage that trains. Lengths in tokens, shares from 0 to 1. */
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

export const trainingOptions = {
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

/** They change how the work is done and not what comes out. */
export const immaterialTrainingOptions = ['loseAtMost', 'onDifferentMachine'] as const;

/** Options that a plan may give at its top. */
export const sharedTrainingOptions = { loseAtMost: 'loseAtMost', onDifferentMachine: 'onDifferentMachine' } as const;

/** Longest silence in each phase of the trainer: a step may be long, what comes before it reads and compiles. */
export const trainerSilenceLimitsMs = {
  start: 120_000,
  open: 180_000,
  claim: 180_000,
  load: 600_000,
  compile: 600_000,
  restore: 600_000,
  train: 900_000,
  save: 600_000,
  seal: 600_000,
};
