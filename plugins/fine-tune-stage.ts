/**
 * The stage kind `fine-tune`: black box. The student learns the tokens of the answers that the dataset holds. It begins as the
 * model of the input `model`; as some layers of the input `teacher`; or with random weights.
 */
import { z } from 'zod';
import { defineStage } from './define-stage.js';
import {
  immaterialTrainingOptions,
  sharedTrainingOptions,
  trainerSilenceLimitsMs,
  trainingOptions,
} from './training-options.js';

const layers = z.array(z.int().min(0)).min(1);

export const fineTuneStage = defineStage({
  kind: 'fine-tune',
  version: 1,
  options: z.strictObject({
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
  }),
  /** `heldOut` is never trained on: its loss is measured at the end. */
  inputs: { dataset: 'dataset', model: 'model?', teacher: 'model?', heldOut: 'dataset?' },
  outputs: { model: 'model', metrics: 'metrics' },
  queue: 'gpu',
  numerics: true,
  immaterial: immaterialTrainingOptions,
  shared: sharedTrainingOptions,
  program: 'trainer',
  silenceLimitsMs: trainerSilenceLimitsMs,
});
