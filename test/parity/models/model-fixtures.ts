/** Models with results of transformers beside them: three families and their biases, random weights, two layers each. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModelConfig, type ModelConfig } from '../../../engine/files/model-config.js';
import { openSafetensors } from '../../../engine/files/safetensors.js';
import { modelFixtures, readFloat32Npy, readInt32Npy } from '../../support/npy.js';

export const modelNames = ['qwen2-gqa-tied', 'llama3-ropescaled', 'qwen3-qknorm'] as const;
/** And a Llama with every bias that one can have; its vocabulary is too small for what is drawn for the others. */
export const modelNamesWithBiases = [...modelNames, 'llama-biased'] as const;
export type ModelName = (typeof modelNamesWithBiases)[number];

export interface NamedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

export type NamedArrays = Readonly<Record<string, NamedArray>>;

/** Loss and gradients of the causal language-model loss on input_ids, by torch. */
interface GradientReference {
  readonly loss: number;
  readonly grads: Readonly<Record<string, { readonly norm: number; readonly head: readonly number[] }>>;
}

interface PackedReference {
  readonly segments: readonly (readonly number[])[];
  /** The last two positions of each segment run alone. */
  readonly logits: readonly (readonly (readonly number[])[])[];
}

export interface ModelFixture {
  readonly config: ModelConfig;
  readonly weights: NamedArrays;
  readonly float32: (file: string) => { readonly shape: readonly number[]; readonly values: Float32Array };
  readonly int32: (file: string) => { readonly shape: readonly number[]; readonly values: Int32Array };
  readonly reference: GradientReference;
  readonly packed: PackedReference;
}

export async function loadModelFixture(name: ModelName): Promise<ModelFixture> {
  const directory = join(modelFixtures, name);
  const source = await openSafetensors(join(directory, 'model.safetensors'));
  const weights: Record<string, NamedArray> = {};
  for (const tensor of source.names)
    weights[tensor] = { shape: source.describe(tensor).shape, values: await source.readFloat32(tensor) };
  await source.close();
  return {
    config: await readModelConfig(join(directory, 'config.json')),
    weights,
    float32: (file) => readFloat32Npy(join(directory, file)),
    int32: (file) => readInt32Npy(join(directory, file)),
    reference: JSON.parse(readFileSync(join(directory, 'reference.json'), 'utf8')) as GradientReference,
    packed: JSON.parse(readFileSync(join(directory, 'packed.json'), 'utf8')) as PackedReference,
  };
}
