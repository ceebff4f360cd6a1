/** Tensors by name: the state and the inputs of a program, the weights of a model. */
import type { tf } from '../tf.js';

export type Tensors = Readonly<Record<string, tf.Tensor>>;

/** One that must be there: where it is missing, two parts of the engine disagree about its name. */
export function namedTensor(tensors: Tensors, name: string): tf.Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new TypeError(`expected a tensor ${name}`);
  return tensor;
}
