/**
 * The stage kind `distill`: white box. The student learns α·cross-entropy + (1−α)·T²·divergence from the distributions of a
 * teacher: computed along by the engine (input `teacher`), or captured before (input `logits`); one of the two is needed.
 */
import { z } from 'zod';
import { defineStage } from './define-stage.js';
import {
  immaterialTrainingOptions,
  sharedTrainingOptions,
  trainerSilenceLimitsMs,
  trainingOptions,
} from './training-options.js';

export const distillStage = defineStage({
  kind: 'distill',
  version: 1,
  options: z.strictObject({
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
  }),
  inputs: { dataset: 'dataset', model: 'model', teacher: 'model?', logits: 'logits?', heldOut: 'dataset?' },
  outputs: { model: 'model', metrics: 'metrics' },
  queue: 'gpu',
  numerics: true,
  immaterial: immaterialTrainingOptions,
  shared: sharedTrainingOptions,
  program: 'trainer',
  silenceLimitsMs: trainerSilenceLimitsMs,
});
