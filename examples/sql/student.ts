/** The student before it has learned anything: less than a quarter of the teacher's weights, random ones, and its tokenizer. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../tools/package-root.js';
import {
  initialWeight,
  parameterCount,
  readModelConfig,
  writeModelDirectory,
  type ModelConfig,
} from '../../engine/index.js';

export const teacherDirectory = join(packageRoot(), 'examples', 'sql', 'teacher');

export const studentConfig = (teacher: ModelConfig): ModelConfig => ({
  ...teacher,
  hiddenSize: 128,
  intermediateSize: 256,
  layers: 3,
  heads: 4,
  keyValueHeads: 2,
});

/** @param seed of the weights */
export async function writeStudent(directory: string, seed: number): Promise<number> {
  const config = studentConfig(await readModelConfig(join(teacherDirectory, 'config.json')));
  await rm(directory, { recursive: true, force: true });
  await writeModelDirectory(directory, {
    config,
    values: (name) => initialWeight(config, name, { seed, standardDeviation: 0.04 }),
    tokenizerFrom: teacherDirectory,
    format: 'float32',
  });
  return parameterCount(config);
}
