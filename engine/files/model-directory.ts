/**
 * A model as Hugging Face lays it out: config.json, safetensors in one file or in shards, the tokenizer's files and
 * generation_config.json. Opening checks that the tensors are those that the config asks for, by name, shape and format; writing
 * makes a directory that transformers loads, complete or not at all.
 */
import { randomUUID } from 'node:crypto';
import { access, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { NightstillError } from '../../config/errors.js';
import { syncDirectory } from './atomic-file.js';
import { checkTensors } from './check-tensors.js';
import { refuseTaken } from './free-place.js';
import { writing } from './output-error.js';
import { readGenerationConfig, writeGenerationConfig, type GenerationConfig } from './generation-config.js';
import { readModelConfig, writeModelConfig, type ModelConfig, type WeightFormat } from './model-config.js';
import { expectedTensors } from './model-tensors.js';
import type { FloatFormat } from './number-formats.js';
import { openSafetensors, type TensorSource } from './safetensors.js';
import { float32Tensor, writeSafetensorsShards } from './safetensors-writer.js';

export interface ModelDirectory {
  readonly path: string;
  readonly config: ModelConfig;
  /** Holds at least the tensors of `tensorNames`. */
  readonly tensors: TensorSource;
  /** The tensors of the model, in the order of its modules; lm_head only when it is not tied. */
  readonly tensorNames: readonly string[];
  /** Names of the tokenizer's files that are there. */
  readonly tokenizerFiles: readonly string[];
  readonly generationConfig: GenerationConfig | undefined;
  readonly close: () => Promise<void>;
}

const knownTokenizerFiles = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'tokenizer.model',
  'chat_template.jinja',
] as const;

/**
 * @throws model-file-missing, model-config-invalid, model-unsupported, safetensors-invalid as the files deserve;
 *   model-weights-mismatch when tensors are missing, unknown, or of another shape than the config says.
 */
export async function openModelDirectory(path: string): Promise<ModelDirectory> {
  const config = await readModelConfig(join(path, 'config.json'));
  const generationConfig = await readGenerationConfig(join(path, 'generation_config.json'));
  const tokenizerFiles = await filesOf(path);
  const tensors = await openSafetensors(await weightFile(path));
  try {
    await checkTensors(config, tensors, path);
  } catch (error) {
    await tensors.close();
    throw error;
  }
  const tensorNames = [...expectedTensors(config).keys()];
  return { path, config, tensors, tensorNames, tokenizerFiles, generationConfig, close: tensors.close };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function weightFile(path: string): Promise<string> {
  for (const name of ['model.safetensors', 'model.safetensors.index.json'])
    if (await exists(join(path, name))) return join(path, name);
  throw new NightstillError(
    'model-file-missing',
    `Expected model.safetensors or model.safetensors.index.json in ${path}, found neither. Other weight files are not read.`,
  );
}

async function filesOf(path: string): Promise<string[]> {
  const there = await Promise.all(knownTokenizerFiles.map((name) => exists(join(path, name))));
  return knownTokenizerFiles.filter((_, index) => there[index]);
}

export interface ModelToWrite {
  readonly config: ModelConfig;
  /** The values of a tensor that the config asks for; called once for each, one after another. */
  readonly values: (name: string) => Float32Array | Promise<Float32Array>;
  /** How the values are stored. Default float32. */
  readonly format?: WeightFormat;
  /** A directory whose tokenizer files are copied. */
  readonly tokenizerFrom?: string;
  readonly generationConfig?: GenerationConfig | undefined;
  readonly maximumShardBytes?: number;
}

const tensorFormats = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const satisfies Record<
  WeightFormat,
  FloatFormat
>;

/**
 * Writes a new directory; the one that holds it must be there.
 * @throws output-exists when the path is taken by anything but an empty directory; output-failed when the disk is full or the
 *   directory that should hold it is missing; model-file-missing when `tokenizerFrom` has no tokenizer; safetensors-invalid when
 *   the number of values of a tensor is not that of its shape.
 */
export async function writeModelDirectory(path: string, model: ModelToWrite): Promise<void> {
  const target = resolve(path);
  await refuseTaken(target);
  await writing(target, () => writeAndRename(target, model));
}

async function writeAndRename(target: string, model: ModelToWrite): Promise<void> {
  const partial = join(dirname(target), `.${basename(target)}.${randomUUID()}.partial`);
  await mkdir(partial);
  try {
    await writeFiles(partial, model);
    await syncDirectory(partial);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
  await syncDirectory(dirname(target));
}

async function writeFiles(directory: string, model: ModelToWrite): Promise<void> {
  const { config, values, format = 'float32', tokenizerFrom, generationConfig, maximumShardBytes } = model;
  const tokenizer = tokenizerFrom === undefined ? [] : await tokenizerOf(tokenizerFrom);
  const tensors = [...expectedTensors(config)].map(([name, shape]) =>
    float32Tensor(name, shape, () => values(name), tensorFormats[format]),
  );
  await writeSafetensorsShards(directory, tensors, {
    metadata: { format: 'pt' },
    ...(maximumShardBytes !== undefined && { maximumShardBytes }),
  });
  for (const source of tokenizer) await copyFile(source, join(directory, basename(source)));
  if (generationConfig !== undefined)
    await writeGenerationConfig(join(directory, 'generation_config.json'), generationConfig);
  await writeModelConfig(join(directory, 'config.json'), config, format);
}

/** Paths of the tokenizer's files. A model that was to have a tokenizer is not written without one. */
async function tokenizerOf(directory: string): Promise<string[]> {
  const names = await filesOf(directory);
  if (names.some((name) => name === 'tokenizer.json' || name === 'tokenizer.model'))
    return names.map((name) => join(directory, name));
  throw new NightstillError('model-file-missing', `Expected a tokenizer.json in ${directory}, found none.`);
}
