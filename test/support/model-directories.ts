/** Model directories as users give them: copies of a fixture, whole or spoilt. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openModelDirectory, writeModelDirectory } from '../../engine/files/model-directory.js';
import { modelFixtures } from './npy.js';
import { temporaryDirectory } from './temporary.js';

const files = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'];

export type ModelName = 'qwen2-gqa-tied' | 'qwen3-qknorm' | 'llama3-ropescaled';

/** A copy of a small model, in a directory of its own. */
export function modelDirectory(name: ModelName = 'qwen3-qknorm'): string {
  const directory = join(temporaryDirectory(), name);
  mkdirSync(directory);
  for (const file of files) copyFileSync(join(modelFixtures, name, file), join(directory, file));
  return directory;
}

/** Changes some fields of a JSON file; undefined takes a field away. */
export function changeJson(path: string, changes: Readonly<Record<string, unknown>>): void {
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
}
/** In shards, as large models are. */
export async function shardedDirectory(name?: ModelName): Promise<string> {
  const from = modelDirectory(name);
  const { config, tensors, close } = await openModelDirectory(from);
  const directory = join(temporaryDirectory(), 'sharded');
  const model = { config, values: tensors.readFloat32, tokenizerFrom: from, maximumShardBytes: 100_000 };
  await writeModelDirectory(directory, model);
  await close();
  return directory;
}
