/**
 * A student made of its teacher: some of the layers, everything else as it is. Which tensor of the teacher each tensor of the
 * student begins as is a table of names, so copying costs no more memory than one tensor.
 * Source: Sanh et al., DistilBERT (2019), who take every second layer.
 */
import { NightstillError } from '../../config/errors.js';
import type { ModelConfig } from '../files/model-config.js';
import { expectedTensors } from '../files/model-tensors.js';

/** `every` 2 takes layers 0, 2, 4 …; `layers` names them, in ascending order. */
export type LayerChoice = { readonly every: number } | { readonly layers: readonly number[] };

export interface Student {
  readonly config: ModelConfig;
  /** The name of the teacher's tensor by the name of the student's. */
  readonly sources: Readonly<Record<string, string>>;
  /** The teacher's layers, in order. */
  readonly layers: readonly number[];
}

/** @throws student-invalid when the layers of the teacher cannot be chosen so. */
export function studentOf(teacher: ModelConfig, choice: LayerChoice): Student {
  const layers = 'every' in choice ? everyNth(teacher.layers, choice.every) : checked(teacher.layers, choice.layers);
  const config: ModelConfig = { ...teacher, layers: layers.length };
  const sources = [...expectedTensors(config).keys()].map((name) => [name, sourceOf(name, layers)] as const);
  return { config, sources: Object.fromEntries(sources), layers };
}

const sourceOf = (name: string, layers: readonly number[]): string =>
  name.replace(/(?<=^model\.layers\.)\d+/, (layer) => `${layers[Number(layer)]}`);

function everyNth(count: number, every: number): number[] {
  if (!Number.isInteger(every) || every < 1 || count % every !== 0)
    throw invalid(`a divisor of the teacher's ${count} layers`, `every ${every}th`);
  return Array.from({ length: count / every }, (_, index) => index * every);
}

function checked(count: number, layers: readonly number[]): readonly number[] {
  const ascending = layers.every((layer, index) => index === 0 || layer > (layers[index - 1] ?? NaN));
  const known = layers.every((layer) => Number.isInteger(layer) && layer >= 0 && layer < count);
  if (layers.length === 0 || !ascending || !known)
    throw invalid(`layers of 0 to ${count - 1} in ascending order, each once`, `[${layers.join(', ')}]`);
  return layers;
}

const invalid = (expected: string, found: string): NightstillError =>
  new NightstillError('student-invalid', `Expected ${expected}, found ${found}.`);
