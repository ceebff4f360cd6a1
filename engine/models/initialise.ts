/**
 * Random weights of any configuration, as transformers initialises its classes: matrices and embeddings normal, biases zero,
 * norms one, the embedding of the padding token zero. Each tensor has a random stream of its own, named after it: the values
 * depend on the seed, the name and the shape, not on order or on which other tensors are made.
 */
import { NightstillError } from '../../config/errors.js';
import type { ModelConfig } from '../files/model-config.js';
import { expectedTensors } from '../files/model-tensors.js';
import { sizeOf } from '../tracing/tensor-spec.js';
import { createRandom } from '../training/random.js';

export interface Initialisation {
  /** An integer of 0 … 2⁵³−1. */
  readonly seed: number;
  /** Of matrices and embeddings. Default: 0.02, as in transformers (`initializer_range`). */
  readonly standardDeviation?: number;
}

/**
 * The first values of one tensor, in row-major order.
 * @throws model-weights-mismatch for a name that the configuration does not have; training-setting-invalid for the seed.
 */
export function initialWeight(config: ModelConfig, name: string, initialisation: Initialisation): Float32Array {
  const shape = expectedTensors(config).get(name);
  if (shape === undefined)
    throw new NightstillError('model-weights-mismatch', `Expected the name of a tensor of the config, found ${name}.`);
  const values = new Float32Array(sizeOf(shape));
  if (name.endsWith('.bias')) return values;
  if (shape.length === 1) return values.fill(1);
  fillNormal(values, name, initialisation);
  const { padding, hiddenSize } = config;
  if (name === 'model.embed_tokens.weight' && padding !== undefined)
    values.fill(0, padding * hiddenSize, (padding + 1) * hiddenSize);
  return values;
}

const twoTo32 = 2 ** 32;

/** Box and Muller (1958): two uniform numbers make two normal ones. */
function fillNormal(values: Float32Array, name: string, { seed, standardDeviation = 0.02 }: Initialisation): void {
  const { uint32 } = createRandom(seed, `initialise/${name}`);
  for (let index = 0; index < values.length; index += 2) {
    const radius = standardDeviation * Math.sqrt(-2 * Math.log((uint32() + 1) / twoTo32));
    const angle = (2 * Math.PI * uint32()) / twoTo32;
    values[index] = radius * Math.cos(angle);
    values[index + 1] = radius * Math.sin(angle); // beyond an odd end this is no element, and nothing happens
  }
}
