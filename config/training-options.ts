/**
 * What a plan may say of a training: for every stage that trains, and for each kind. Lengths in tokens, shares from 0 to 1. The
 * stage kinds publish these schemas, and the process that trains reads its job by the same ones.
 */
import { z } from 'zod';
import { durationSchema } from './duration.js';

const count = (least: number, most: number) => z.int().min(least).max(most);
const share = z.number().min(0).max(1);
/** Of a running mean. AdamW divides by 1 − βᵗ: at 1 every weight would become NaN. */
const decay = z.number().min(0).lt(1);

/** What decides which tokens a dataset becomes. Logits are found by tokens: a capture and a distillation from it must agree. */
const tokenOptions = {
  rowTokens: count(8, 131_072)
    .default(512)
    .describe('Tokens of a row: samples are packed into rows, longer ones are treated as `tooLong` says.'),
  tooLong: z
    .enum(['truncate', 'split', 'drop-counted', 'refuse'])
    .default('truncate')
    .describe('What becomes of a sample that is longer than a row.'),
  answers: z.enum(['all', 'last']).default('all').describe('Which answers of a conversation are learned.'),
} as const;

const onDifferentMachine = z
  .enum(['continue', 'wait'])
  .default('continue')
  .describe(
    'What a worker does with a checkpoint of a machine that computes other bits: go on, and say so, or leave it to another.',
  );

const trainingOptions = {
  epochs: count(1, 10_000)
    .default(3)
    .describe('How often the data is gone through; `steps`, when given, ends it earlier.'),
  steps: count(1, 10_000_000).optional().describe('Updates of the weights, at most.'),
  ...tokenOptions,
  rows: count(1, 4096).default(8).describe('Rows of a micro-batch.'),
  microBatches: count(1, 1024).default(1).describe('Micro-batches whose gradients are added up before an update.'),
  learningRate: z.number().positive().max(1).default(2e-4).describe('Peak of the schedule.'),
  schedule: z
    .enum(['constant', 'linear', 'cosine'])
    .default('cosine')
    .describe('How the learning rate falls after the warm-up.'),
  warmUpRatio: share.default(0.05).describe('Share of the steps in which the learning rate rises to its peak.'),
  minimumRatio: share.default(0.1).describe('Learning rate at the end, as a share of the peak.'),
  weightDecay: z.number().min(0).max(1).default(0.1).describe('Of AdamW; norms and biases are spared.'),
  beta1: decay.default(0.9).describe('Of AdamW: how long it remembers gradients.'),
  beta2: decay.default(0.95).describe('Of AdamW: how long it remembers their squares.'),
  epsilon: z.number().positive().default(1e-8).describe('Of AdamW.'),
  maximumGradientNorm: z.number().positive().default(1).describe('Gradients are clipped to this global norm.'),
  seed: count(0, Number.MAX_SAFE_INTEGER).default(0).describe('Of the order of the samples and of random weights.'),
  vocabularyChunks: count(1, 1024)
    .default(1)
    .describe('In how many equal pieces the logits of a micro-batch are made: less memory, a little slower.'),
  recompute: z
    .boolean()
    .default(false)
    .describe('Compute the inside of each layer again in the backward pass instead of keeping it.'),
  loseAtMost: durationSchema
    .default(300_000)
    .describe('How much work, in time, a crash may cost at most: `5m`, or milliseconds.'),
  onDifferentMachine,
} as const;

interface MicroBatch {
  readonly rows: number;
  readonly rowTokens: number;
  readonly vocabularyChunks: number;
}

/** The tokens of a micro-batch are cut into chunks of one size. */
const isCutEvenly = ({ rows, rowTokens, vocabularyChunks }: MicroBatch): boolean =>
  (rows * rowTokens) % vocabularyChunks === 0;
const evenChunks = {
  path: ['vocabularyChunks'],
  error: 'a divisor of rows × rowTokens, the tokens of a micro-batch',
};

const layers = z.array(z.int().min(0)).min(1);

export const fineTuneOptions = z
  .strictObject({
    start: z
      .union([
        z.literal('given'),
        z.strictObject({ layers: z.union([layers, z.strictObject({ every: z.int().min(1) })]) }),
        z.strictObject({
          random: z.strictObject({ standardDeviation: z.number().positive().max(1).default(0.02) }),
        }),
      ])
      .default('given')
      .describe('Which weights the student begins with.'),
    ...trainingOptions,
  })
  .refine(isCutEvenly, evenChunks);

export const distillOptions = z
  .strictObject({
    crossEntropyShare: z.number().min(0).max(1).default(0.5).describe('α: the share of cross-entropy in the loss.'),
    temperature: z
      .number()
      .positive()
      .max(100)
      .default(2)
      .describe('T: how much the distributions of teacher and student are softened.'),
    timesTemperatureSquared: z
      .boolean()
      .default(true)
      .describe('Is the divergence multiplied by T²? Toolkits differ silently in this.'),
    divergence: z
      .union([z.enum(['forward-kl', 'reverse-kl']), z.strictObject({ jsd: z.number().gt(0).lt(1) })])
      .default('forward-kl')
      .describe(
        'From the distribution of the teacher to that of the student: `forward-kl`, `reverse-kl` or `{ jsd: 0.5 }`.',
      ),
    missingMass: z
      .enum(['tail-bucket', 'truncate', 'renormalise', 'residual-to-label'])
      .default('tail-bucket')
      .describe('What becomes of the probability outside captured top-k logits.'),
    ...trainingOptions,
  })
  .refine(isCutEvenly, evenChunks)
  .refine(({ divergence, missingMass }) => divergence !== 'reverse-kl' || missingMass === 'tail-bucket', {
    path: ['missingMass'],
    error: 'tail-bucket beside reverse-kl, which needs a teacher probability for every token',
  });

const mebibyte = 1024 * 1024;

/** What a capture keeps, whoever is asked. */
export const logitOptions = {
  k: count(1, 4096).default(16).describe('How many ids are kept at each position: the most probable ones.'),
  valueType: z
    .enum(['float16', 'float32'])
    .default('float16')
    .describe('How log-probabilities are kept; float16 rounds probabilities by less than 1 %.'),
  ...tokenOptions,
  shardBytes: count(4096, 32 * mebibyte)
    .default(4 * mebibyte)
    .describe('A shard is closed once it holds this many bytes. A crash costs what was scored after the last one.'),
} as const;

export const captureOptions = z.strictObject({
  ...logitOptions,
  temperatures: z
    .array(z.number().positive().max(100))
    .min(1)
    .max(8)
    .refine((values) => new Set(values).size === values.length, 'temperatures that differ')
    .default([2])
    .describe('At which the distributions can be learned later.'),
  batchTokens: count(8, 4_194_304).default(2048).describe('Tokens that are scored at once.'),
  onDifferentMachine,
});

export type CaptureOptions = z.output<typeof captureOptions>;
export type FineTuneOptions = z.output<typeof fineTuneOptions>;
export type DistillOptions = z.output<typeof distillOptions>;
/** What both have in common. */
export type TrainingOptions = Omit<FineTuneOptions, 'start'>;
