/**
 * Gradients of several micro-batches before one update. They are summed, never averaged: every micro-batch's loss was divided by
 * the token count of the whole step already, so the sum is the gradient of the plain loss. The sums are state, so that a run
 * stopped in the midst of a step goes on with the next micro-batch.
 */
import { tf } from '../tf.js';
import { namedTensor, type Tensors } from '../tracing/tensors.js';

export const accumulatedName = (weight: string): string => `accumulated/${weight}`;

/** What is held plus these gradients, by name of the weight. */
export function withAccumulated(state: Tensors, gradients: Tensors): Record<string, tf.Tensor> {
  return mapped(gradients, (name, gradient) => [name, tf.add(held(state, name), gradient)]);
}

/** The updates of the state after a micro-batch that is not the last of its step. */
export function accumulatedUpdates(state: Tensors, gradients: Tensors): Record<string, tf.Tensor> {
  return mapped(gradients, (name, gradient) => [accumulatedName(name), tf.add(held(state, name), gradient)]);
}

/** The updates of the state after the last micro-batch: nothing is held. */
export function clearedUpdates(gradients: Tensors): Record<string, tf.Tensor> {
  return mapped(gradients, (name, gradient) => [accumulatedName(name), tf.zerosLike(gradient)]);
}

const mapped = (tensors: Tensors, change: (name: string, tensor: tf.Tensor) => [string, tf.Tensor]) =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => change(name, tensor)));

const held = (state: Tensors, weight: string): tf.Tensor => namedTensor(state, accumulatedName(weight));
