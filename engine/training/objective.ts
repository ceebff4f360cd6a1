/**
 * What a student learns from: a loss of logits, the targets that each batch brings for it, and, where a teacher computes along,
 * frozen tensors. An objective is data and plain functions; the trainer knows no kind of it.
 *
 * N tokens of a micro-batch, K kept ids, D hidden size, W vocabulary of the teacher.
 */
import type { ModelConfig } from '../files/model-config.js';
import { expectedTensors } from '../files/model-tensors.js';
import { headWeight, hiddenStates, type DecoderInputs } from '../models/decoder.js';
import type { NumbersSource } from '../runners/runner.js';
import { tf } from '../tf.js';
import { namedTensor, type Tensors } from '../tracing/tensors.js';
import type { TensorSpecs } from '../tracing/trace.js';
import { crossEntropy } from './losses/cross-entropy.js';
import type { HeadLoss } from './losses/chunked-head.js';
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

/** Row n of every target belongs to token n; no gradient flows into targets. */
export interface BoundLoss<T extends Targets> {
  readonly targets: T;
  readonly loss: LogitLoss<T>;
}

/** Takes a loss to the logits of the student, in as many pieces as the run wants. */
export type Reduce = <T extends Targets>(bound: BoundLoss<T>) => HeadLoss;

export interface Objective {
  /** Inputs of each micro-batch, beside ids, positions, segments, labels and weights; first dimension: tokens. */
  readonly inputs: (tokens: number) => TensorSpecs;
  /** Which of them hold token ids, each with what these must be below, beside the vocabulary size of the student. */
  readonly tokenIds?: Readonly<Record<string, number>>;
  /** Tensors that the loss reads and no step changes, such as a teacher's weights. */
  readonly frozen: TensorSpecs;
  /** Where something beside the student looks up token ids: they must be below this. */
  readonly vocabularySize?: number;
  readonly lossOf: (inputs: ObjectiveInputs, reduce: Reduce) => HeadLoss;
}

/** Learning the tokens themselves. */
export const labelsObjective = (): Objective => ({
  inputs: () => ({}),
  frozen: {},
  lossOf: ({ labels_N }, reduce) => reduce({ targets: { labels_N }, loss: crossEntropy }),
});

/**
 * Learning the K most likely tokens of a teacher with their log-probabilities at the temperature of the loss. Extra inputs:
 * `teacherIds` int32 [N, K], `teacherLogProbabilities` [N, K], `teacherMissingMass` [N]; row n is about the token that follows
 * token n. Which distribution a row of weight 0 holds does not matter, but it must hold one: log-probabilities that are finite or
 * −∞, a finite missing mass, ids that differ and are below the vocabulary size. A derivative that is NaN still is when weighted by 0.
 * @throws training-setting-invalid
 */
export function topKObjective(settings: TopKDistillationSettings, k: number): Objective {
  const loss = topKDistillation(settings);
  return {
    inputs: (tokens) => ({
      teacherIds: { shape: [tokens, k], dtype: 'int32' },
      teacherLogProbabilities: { shape: [tokens, k], dtype: 'float32' },
      teacherMissingMass: { shape: [tokens], dtype: 'float32' },
    }),
    tokenIds: { teacherIds: settings.teacherVocabularySize ?? Infinity },
    frozen: {},
    lossOf({ labels_N, extra }, reduce) {
      const [tokens] = labels_N.shape;
      const targets = {
        labels_N,
        ids_NK: namedTensor(extra, 'teacherIds').as2D(tokens, k),
        logProbabilities_NK: namedTensor(extra, 'teacherLogProbabilities').as2D(tokens, k),
        missingMass_N: namedTensor(extra, 'teacherMissingMass').as1D(),
      };
      return reduce({ targets, loss });
    },
  };
}

const teacherPrefix = 'teacher/';

/**
 * Learning the whole distribution of a teacher that computes in the same program. Its weights are frozen tensors, under
 * `teacher/<name>`; its logits are made piece by piece beside those of the student. Where the vocabularies differ in size, both
 * are cut to the shorter one.
 * @throws training-setting-invalid
 */
export function teacherObjective(settings: DistillationSettings, teacher: ModelConfig): Objective {
  const fromLogits = denseDistillation(settings);
  const names = [...expectedTensors(teacher)];
  return {
    inputs: () => ({}),
    frozen: Object.fromEntries(
      names.map(([name, shape]) => [`${teacherPrefix}${name}`, { shape, dtype: 'float32' }] as const),
    ),
    vocabularySize: teacher.vocabularySize,
    lossOf({ labels_N, decoder, frozen }, reduce) {
      const weights = Object.fromEntries(names.map(([name]) => [name, namedTensor(frozen, `${teacherPrefix}${name}`)]));
      const head_WD = headWeight(teacher, weights);
      return reduce({
        targets: { labels_N, hidden_ND: hiddenStates(teacher, weights, decoder) },
        loss: (logits_NV, { labels_N: labels, hidden_ND }) =>
          fromLogits(logits_NV, {
            labels_N: labels,
            teacherLogits_NW: tf.matMul<tf.Tensor2D>(hidden_ND, head_WD, false, true),
          }),
      });
    },
  };
}

/** What a trainer with a teacher's objective loads as frozen tensors, from a source of the teacher's weights by their own names. */
export const teacherWeights =
  (source: NumbersSource): NumbersSource =>
  (name, ...rows) =>
    source(name.slice(teacherPrefix.length), ...rows);
