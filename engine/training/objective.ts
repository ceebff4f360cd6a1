/**
 * What a student learns from: a loss of logits, the targets that each batch brings for it, and, where a teacher computes along,
 * frozen tensors. An objective is data and plain functions; the trainer knows no kind of it.
 */
import type { tf } from '../tf.js';
import type { TensorSpecs, Tensors } from '../tracing/trace.js';
import type { DecoderInputs } from '../models/decoder.js';
import { crossEntropy } from './losses/cross-entropy.js';
import {
  denseDistillation,
  topKDistillation,
  type DistillationSettings,
  type TopKDistillationSettings,
} from './losses/distillation.js';
import type { LogitLoss, Targets } from './losses/loss.js';

/** What the loss of one micro-batch may look at besides logits. */
export interface ObjectiveInputs {
  readonly decoder: DecoderInputs;
  readonly labels_N: tf.Tensor1D;
  /** Inputs that the objective asked for. */
  readonly extra: Tensors;
  /** Frozen tensors that the objective asked for. */
  readonly frozen: Tensors;
}

export interface Objective<T extends Targets = Targets> {
  /** Inputs of each micro-batch, beside ids, positions, segments, labels and weights; first dimension: tokens. */
  inputs(tokens: number): TensorSpecs;
  /** Tensors that the loss reads and no step changes, such as a teacher's weights. */
  readonly frozen: TensorSpecs;
  /** Row n of every target belongs to token n. No gradient flows into targets. */
  targets(inputs: ObjectiveInputs): T;
  readonly loss: LogitLoss<T>;
}

/** Learning the tokens themselves. */
export const labelsObjective = (): Objective<{ labels_N: tf.Tensor1D }> => ({
  inputs: () => ({}),
  frozen: {},
  targets: ({ labels_N }) => ({ labels_N }),
  loss: crossEntropy,
});

/**
 * Learning the K most likely tokens of a teacher with their log-probabilities at the temperature of the loss. Extra inputs:
 * `teacherIds` int32 [N, K], `teacherLogProbabilities` [N, K], `teacherMissingMass` [N].
 * @throws training-setting-invalid
 */
export function topKObjective(settings: TopKDistillationSettings, k: number): Objective {
  return {
    inputs: (tokens) => ({
      teacherIds: { shape: [tokens, k], dtype: 'int32' },
      teacherLogProbabilities: { shape: [tokens, k], dtype: 'float32' },
      teacherMissingMass: { shape: [tokens], dtype: 'float32' },
    }),
    frozen: {},
    targets: ({ labels_N, extra }) => ({
      labels_N,
      ids_NK: named(extra, 'teacherIds'),
      logProbabilities_NK: named(extra, 'teacherLogProbabilities'),
      missingMass_N: named(extra, 'teacherMissingMass'),
    }),
    loss: topKDistillation(settings) as LogitLoss<Targets>, // the targets above are those that it names
  };
}

/** A teacher's logits [N, W] for the tokens of a micro-batch. */
export type TeacherLogits = (frozen: Tensors, inputs: DecoderInputs) => tf.Tensor2D;

/**
 * Learning the whole distribution of a teacher that computes in the same program.
 * @param teacherState the teacher's weights, under names that no weight of the student has
 * @throws training-setting-invalid
 */
export function teacherObjective(
  settings: DistillationSettings,
  teacherState: TensorSpecs,
  teacherLogits: TeacherLogits,
): Objective {
  return {
    inputs: () => ({}),
    frozen: teacherState,
    targets: ({ labels_N, decoder, frozen }) => ({ labels_N, teacherLogits_NW: teacherLogits(frozen, decoder) }),
    loss: denseDistillation(settings) as LogitLoss<Targets>, // the targets above are those that it names
  };
}

function named(tensors: Tensors, name: string): tf.Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new TypeError(`expected an input ${name}`);
  return tensor;
}
