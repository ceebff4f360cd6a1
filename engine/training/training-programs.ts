/**
 * The programs of training as plain functions: `accumulate` adds the gradients of a micro-batch to those held, `update` does the
 * same for the last one of a step and applies AdamW. One micro-batch a step needs only `update`, and nothing is held. `evaluate`
 * is the loss alone.
 *
 * B rows of T tokens, N = B·T.
 */
import type { ProgramSpec } from '../compile.js';
import { adamwUpdate } from '../kernels/adamw.js';
import type { ModelConfig } from '../files/model-config.js';
import { headWeight, hiddenStates, type Block } from '../models/decoder.js';
import { tf } from '../tf.js';
import { inBlock } from '../tracing/current.js';
import { namedTensor, type Tensors } from '../tracing/tensors.js';
import type { TensorSpecs } from '../tracing/trace.js';
import { accumulatedName, accumulatedUpdates, clearedUpdates, withAccumulated } from './accumulation.js';
import { adamwUpdates, firstMomentName, secondMomentName, type AdamWSettings } from './adamw.js';
import { chunkedHeadEvaluation, chunkedHeadLoss, type ChunkedHead, type HeadLoss } from './losses/chunked-head.js';
import { handedOver, type Targets } from './losses/loss.js';
import type { Objective } from './objective.js';

export interface TrainingShape {
  /** Rows of a micro-batch. */
  readonly rows: number;
  /** Tokens of a row. */
  readonly tokens: number;
  /** Micro-batches of a step. */
  readonly microBatches: number;
}

export interface TrainingProgramOptions {
  readonly config: ModelConfig;
  readonly weights: TensorSpecs;
  readonly shape: TrainingShape;
  readonly objective: Objective;
  readonly optimizer: AdamWSettings;
  /** In how many pieces of tokens the logits are made; N must be a multiple of it. */
  readonly vocabularyChunks: number;
  /** Compute the inside of each layer again in the backward pass instead of keeping it. */
  readonly recompute: boolean;
  /** Is there a program that evaluates? */
  readonly evaluates: boolean;
  readonly xla: boolean;
  readonly precision: 'float32' | 'bfloat16';
}

const float32 = (...shape: readonly number[]) => ({ shape, dtype: 'float32' }) as const;
const int32 = (...shape: readonly number[]) => ({ shape, dtype: 'int32' }) as const;

/** Weights, moments, held gradients and what the objective reads. */
export function trainingState({
  weights,
  objective,
  shape,
}: TrainingProgramOptions): Record<string, TensorSpecs[string]> {
  const state: Record<string, TensorSpecs[string]> = { ...weights };
  for (const [name, spec] of Object.entries(weights)) {
    state[firstMomentName(name)] = spec;
    state[secondMomentName(name)] = spec;
    if (shape.microBatches > 1) state[accumulatedName(name)] = spec;
  }
  return { ...state, ...objective.frozen };
}

/** `accumulate` is there where a step has several micro-batches, `evaluate` where it is asked for. */
export function trainingPrograms(options: TrainingProgramOptions): Readonly<Record<string, ProgramSpec>> {
  const { shape, objective, xla, precision } = options;
  const tokens = shape.rows * shape.tokens;
  const batch: TensorSpecs = {
    ids: int32(shape.rows, shape.tokens),
    positions: int32(shape.rows, shape.tokens),
    segments: int32(shape.rows, shape.tokens),
    labels: int32(tokens),
    weights: float32(tokens),
    tokenCount: float32(),
    ...objective.inputs(tokens),
  };
  const scalars: TensorSpecs = { learningRate: float32(), biasCorrection1: float32(), biasCorrection2: float32() };
  const update: ProgramSpec = { inputs: { ...batch, ...scalars }, run: updateProgram(options), xla, precision };
  const accumulate: ProgramSpec = { inputs: batch, run: accumulateProgram(options), xla, precision };
  const evaluate: ProgramSpec = { inputs: batch, run: evaluateProgram(options), xla, precision };
  return { update, ...(shape.microBatches > 1 && { accumulate }), ...(options.evaluates && { evaluate }) };
}

const evaluateProgram =
  (options: TrainingProgramOptions): ProgramSpec['run'] =>
  (state, inputs) => {
    const { value, parts } = lossOf(options, state, state, inputs, chunkedHeadEvaluation);
    return { outputs: { loss: value, ...parts } };
  };

const accumulateProgram =
  (options: TrainingProgramOptions): ProgramSpec['run'] =>
  (state, inputs) => {
    const { loss, parts, gradients } = gradientsOf(options, state, inputs);
    return { outputs: { loss, ...parts }, updates: accumulatedUpdates(state, gradients) };
  };

const updateProgram =
  (options: TrainingProgramOptions): ProgramSpec['run'] =>
  (state, inputs) => {
    const { loss, parts, gradients } = gradientsOf(options, state, inputs);
    const holds = options.shape.microBatches > 1;
    const { updates, gradientNorm, finite } = adamwUpdates({
      state,
      gradients: holds ? withAccumulated(state, gradients) : gradients,
      loss,
      scalars: {
        learningRate: scalar(inputs, 'learningRate'),
        biasCorrection1: scalar(inputs, 'biasCorrection1'),
        biasCorrection2: scalar(inputs, 'biasCorrection2'),
      },
      settings: options.optimizer,
      step: adamwUpdate,
    });
    return {
      outputs: { loss, gradientNorm, finite, ...parts },
      updates: holds ? { ...updates, ...clearedUpdates(gradients) } : updates,
    };
  };

interface LossAndGradients {
  readonly loss: tf.Scalar;
  readonly parts: Readonly<Record<string, tf.Scalar>>;
  readonly gradients: Readonly<Record<string, tf.Tensor>>;
}

/** The share of one micro-batch in the loss of its step, and its gradients. */
function gradientsOf(options: TrainingProgramOptions, state: Tensors, inputs: Tensors): LossAndGradients {
  const names = Object.keys(options.weights);
  let kept: Record<string, tf.Scalar> = {};
  const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) => {
    const weights = Object.fromEntries(names.map((name, index) => [name, tensorAt(tensors, index)]));
    const result = lossOf(options, weights, state, inputs, chunkedHeadLoss);
    kept = Object.fromEntries(Object.entries(result.parts).map(([name, part]) => [name, tf.keep(part.clone())]));
    return result.value;
  })(names.map((name) => namedTensor(state, name)));
  return {
    loss: value.asScalar(),
    parts: handedOver(kept),
    gradients: Object.fromEntries(names.map((name, index) => [name, tensorAt(grads, index)])),
  };
}

type Compute = <T extends Targets>(head: ChunkedHead<T>) => HeadLoss;

/** The loss as a function of the weights, which are given apart from the state so that it can be differentiated by them. */
function lossOf(
  options: TrainingProgramOptions,
  weights: Tensors,
  state: Tensors,
  inputs: Tensors,
  compute: Compute,
): HeadLoss {
  const { config, objective, recompute, vocabularyChunks } = options;
  const decoder = {
    ids_BT: namedTensor(inputs, 'ids').as2D(options.shape.rows, options.shape.tokens),
    positions_BT: namedTensor(inputs, 'positions').as2D(options.shape.rows, options.shape.tokens),
    segments_BT: namedTensor(inputs, 'segments').as2D(options.shape.rows, options.shape.tokens),
  };
  const marked: Block = (name, layer) => (hidden) => inBlock(name, () => layer(hidden));
  const hidden_ND = hiddenStates(config, weights, decoder, recompute ? marked : undefined);
  const labels_N = namedTensor(inputs, 'labels').as1D();
  return objective.lossOf({ decoder, labels_N, extra: inputs, frozen: state }, ({ targets, loss }) =>
    compute({
      hidden_ND,
      head_VD: headWeight(config, weights).as2D(config.vocabularySize, config.hiddenSize),
      chunks: vocabularyChunks,
      loss,
      targets,
      weights_N: namedTensor(inputs, 'weights').as1D(),
      globalTokenCount: scalar(inputs, 'tokenCount'),
    }),
  );
}

function tensorAt(tensors: readonly tf.Tensor[], index: number): tf.Tensor {
  const found = tensors[index];
  if (found === undefined) throw new TypeError(`expected a tensor at ${index}`);
  return found;
}

const scalar = (tensors: Tensors, name: string): tf.Scalar => namedTensor(tensors, name).asScalar();
