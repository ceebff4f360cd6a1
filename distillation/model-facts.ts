/**
 * What a model is, from its headers: whether its configuration can be computed, its shards are complete, its tensors are those of
 * the configuration, and its tokenizer fits. No weight is read. So a model that cannot be trained or taught by fails where it is
 * imported, and not hours later.
 */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import { openModelDirectory, openTokenizer, parameterCount, readModelConfig } from '../engine/files/index.js';
import { isWeightFile, type ModelFile, type ModelIdentity, type ModelSource } from './model-source.js';

export const modelFactsSchema = z.object({
  family: z.string(),
  parameters: z.int().nonnegative(),
  vocabularySize: z.int().positive(),
  /** Are there weights? Training may begin without. */
  weights: z.boolean(),
  /** Of tokenizer.json; null where there is none. */
  tokenizerDigest: z.string().nullable(),
});
export type ModelFacts = Readonly<z.output<typeof modelFactsSchema>>;

/**
 * @throws model-file-missing, model-config-invalid, model-unsupported, model-weights-mismatch, safetensors-invalid,
 *   tokenizer-invalid, model-changed
 */
export async function inspectModel(source: ModelSource, { uri, files }: ModelIdentity): Promise<ModelFacts> {
  const skeleton = await mkdtemp(join(tmpdir(), 'nightstill-model-'));
  try {
    for (const file of files) await copyHead(source, file, skeleton);
    return await factsOf(skeleton, files);
  } catch (error) {
    throw named(error, skeleton, uri);
  } finally {
    await rm(skeleton, { recursive: true, force: true });
  }
}

async function factsOf(directory: string, files: readonly ModelFile[]): Promise<ModelFacts> {
  const weights = files.some(({ name }) => isWeightFile(name) || name === 'model.safetensors.index.json');
  const config = weights ? await configOfWhole(directory) : await readModelConfig(join(directory, 'config.json'));
  const { family, vocabularySize } = config;
  const hasTokenizer = files.some(({ name }) => name === 'tokenizer.json');
  if (weights && !hasTokenizer)
    throw new NightstillError('model-file-missing', `${directory}: expected a tokenizer.json, found none`);
  const tokenizer = hasTokenizer ? await openTokenizer(directory) : undefined;
  if (tokenizer !== undefined && tokenizer.vocabularySize > vocabularySize)
    throw new NightstillError(
      'tokenizer-invalid',
      `${directory}: expected token ids below the vocabulary of ${vocabularySize} that config.json says, found ${tokenizer.vocabularySize - 1}`,
    );
  const parameters = parameterCount(config);
  return { family, parameters, vocabularySize, weights, tokenizerDigest: tokenizer?.digest ?? null };
}

async function configOfWhole(directory: string) {
  const { config, close } = await openModelDirectory(directory);
  await close();
  return config;
}

/** Text is copied; of weights the header, in a file that is as long as the whole and takes no more place than the header. */
async function copyHead(source: ModelSource, file: ModelFile, directory: string): Promise<void> {
  const path = join(directory, file.name);
  if (!isWeightFile(file.name)) return writeFile(path, source.read(file, 0));
  const target = await open(path, 'wx+');
  try {
    let [written, wanted] = [0, lengthBytes];
    for await (const chunk of source.read(file, 0)) {
      await target.write(chunk, 0, chunk.length, written);
      written += chunk.length;
      if (wanted === lengthBytes && written >= lengthBytes) wanted = await headerEnd(target);
      if (written >= wanted) break;
    }
    await target.truncate(file.bytes);
  } finally {
    await target.close();
  }
}

const lengthBytes = 8;
/** A header that says it is longer is refused by who reads it. */
const mostHeaderBytes = 100_000_000;

async function headerEnd(file: Awaited<ReturnType<typeof open>>): Promise<number> {
  const { buffer } = await file.read(Buffer.alloc(lengthBytes), 0, lengthBytes, 0);
  return lengthBytes + Number(buffer.readBigUInt64LE() < BigInt(mostHeaderBytes) ? buffer.readBigUInt64LE() : 0n);
}

/** Errors name the place that the user knows, and not that of the skeleton. */
function named(error: unknown, skeleton: string, uri: string): unknown {
  if (!(error instanceof NightstillError) || !error.message.includes(skeleton)) return error;
  return new NightstillError(error.code, error.message.replaceAll(skeleton, uri), {
    cause: error,
    details: error.details,
  });
}
