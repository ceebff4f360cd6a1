/**
 * AdamW with PyTorch's arithmetic (torch.optim.AdamW; Loshchilov and Hutter 2019): decay is decoupled and applied first, epsilon
 * is added after the bias correction. Functional: weights, gradients and moments in, new ones out, nothing is read. Where the
 * global norm of the gradients is not finite, weights and moments stay as they are, bit for bit, and `finite` is 0.
 *
 * What changes from step to step comes in as scalars, computed in double precision from the number of the step alone: a resumed
 * run has the very same ones.
 */
import { tf } from '../tf.js';
import { namedTensor, type Tensors } from '../tracing/tensors.js';
import { clippingScale, globalNorm } from './clipping.js';
import { decayOf, type WeightDecay } from './weight-decay.js';

export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: WeightDecay;
  /** The greatest global norm of the gradients; no clipping when absent. */
  readonly maximumGradientNorm?: number;
}

/** The inputs of a step: float32 scalars in a program, numbers when run eagerly. */
export interface AdamWScalars {
  readonly learningRate: tf.Scalar | number;
  readonly biasCorrection1: tf.Scalar | number;
  readonly biasCorrection2: tf.Scalar | number;
}

/** 1 − βᵗ for the t-th update; the first is t = 1. */
export const biasCorrections = (
  { beta1, beta2 }: Pick<AdamWSettings, 'beta1' | 'beta2'>,
  update: number,
): { readonly biasCorrection1: number; readonly biasCorrection2: number } => ({
  biasCorrection1: 1 - beta1 ** update,
  biasCorrection2: 1 - beta2 ** update,
});

export const firstMomentName = (weight: string): string => `adamw.m/${weight}`;
export const secondMomentName = (weight: string): string => `adamw.v/${weight}`;

export interface AdamWStepOptions extends AdamWScalars {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
  /** The gradient is multiplied by this first. */
  readonly gradientScale: tf.Scalar | number;
  /** bool: false leaves everything as it is. */
  readonly apply: tf.Scalar;
}

/** One weight: its new value and its new moments. */
export type AdamWStep = (
  weight: tf.Tensor,
  m: tf.Tensor,
  v: tf.Tensor,
  gradient: tf.Tensor,
  options: AdamWStepOptions,
) => readonly [weight: tf.Tensor, m: tf.Tensor, v: tf.Tensor];

/** The definition of the update of one weight. */
export const adamwStep: AdamWStep = (weight, m, v, gradient, options) => {
  const { learningRate, biasCorrection1, biasCorrection2, beta1, beta2, epsilon, decay, gradientScale, apply } =
    options;
  const scaled = tf.mul(gradient, gradientScale);
  const newM = tf.add(tf.mul(m, beta1), tf.mul(scaled, 1 - beta1));
  const newV = tf.add(tf.mul(v, beta2), tf.mul(tf.square(scaled), 1 - beta2));
  const denominator = tf.add(tf.div(tf.sqrt(newV), tf.sqrt(biasCorrection2)), epsilon);
  const stepSize = tf.div(learningRate, biasCorrection1);
  const decayed = decay === 0 ? weight : tf.mul(weight, tf.sub(1, tf.mul(learningRate, decay)));
  const newWeight = tf.sub(decayed, tf.mul(stepSize, tf.div(newM, denominator)));
  return [tf.where(apply, newWeight, weight), tf.where(apply, newM, m), tf.where(apply, newV, v)];
};

export interface AdamWUpdate {
  /** Weights, and moments under `adamw.m/<weight>` and `adamw.v/<weight>`; must hold those of every gradient. */
  readonly state: Tensors;
  /** By name of the weight. */
  readonly gradients: Tensors;
  /** Where it is not finite, nothing is updated either. */
  readonly loss?: tf.Scalar;
  readonly scalars: AdamWScalars;
  readonly settings: AdamWSettings;
  /** A faster equal of `adamwStep`. */
  readonly step?: AdamWStep;
}

export interface AdamWResult {
  /** New values under the names of the state. */
  readonly updates: Record<string, tf.Tensor>;
  /** Before clipping. */
  readonly gradientNorm: tf.Scalar;
  /** float32: 1 when the update was applied, 0 when a gradient or the loss was not finite. */
  readonly finite: tf.Scalar;
}

/** One update of every weight that has a gradient. */
export function adamwUpdates(update: AdamWUpdate): AdamWResult {
  const { state, gradients, loss, scalars, settings, step = adamwStep } = update;
  const { beta1, beta2, epsilon, decay, maximumGradientNorm } = settings;
  const gradientNorm = globalNorm(gradients);
  const apply = tf.isFinite<tf.Scalar>(loss === undefined ? gradientNorm : tf.add(gradientNorm, loss));
  const gradientScale = maximumGradientNorm === undefined ? 1 : clippingScale(gradientNorm, maximumGradientNorm);
  const updates: Record<string, tf.Tensor> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    const weight = namedTensor(state, name);
    const options = { ...scalars, beta1, beta2, epsilon, gradientScale, apply };
    const [firstName, secondName] = [firstMomentName(name), secondMomentName(name)];
    [updates[name], updates[firstName], updates[secondName]] = step(
      weight,
      namedTensor(state, firstName),
      namedTensor(state, secondName),
      gradient,
      { ...options, decay: decayOf(name, weight.shape, decay) },
    );
  }
  return { updates, gradientNorm, finite: tf.cast(apply, 'float32') };
}
