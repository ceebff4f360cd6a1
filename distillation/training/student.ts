/**
 * How a student begins: as the model that is given, as some layers of its teacher, or at random. Whatever it is, it has a
 * configuration, first weights, and a directory with the tokenizer that it keeps.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NightstillError } from '../../config/errors.js';
import type { FineTuneOptions } from '../../config/training-options.js';
import {
  initialWeight,
  openModelDirectory,
  readModelConfig,
  studentOf,
  type GenerationConfig,
  type ModelConfig,
  type NumbersSource,
} from '../../engine/index.js';

export type StudentStart = FineTuneOptions['start'];

export interface Student {
  readonly config: ModelConfig;
  /** First values of its weights. */
  readonly weights: NumbersSource;
  /** A directory with its tokenizer. */
  readonly tokenizerDirectory: string;
  readonly generationConfig: GenerationConfig | undefined;
  readonly close: () => Promise<void>;
}

/** Directories of the models that the stage was given. */
export interface GivenModels {
  readonly model?: string | undefined;
  readonly teacher?: string | undefined;
}

/**
 * @throws student-invalid when the model that it should begin as is not given, or has not the layers; and what the files of
 *   the model deserve: model-file-missing, model-config-invalid, model-unsupported, model-weights-mismatch, safetensors-invalid
 */
export async function openStudent(start: StudentStart, models: GivenModels, seed: number): Promise<Student> {
  if (start === 'given') return givenStudent(needed(models.model, 'model'));
  if ('layers' in start) {
    const { layers } = start;
    const choice = Array.isArray(layers) ? { layers } : layers;
    return layersOfTeacher(needed(models.teacher, 'teacher'), choice);
  }
  return randomStudent(models, { seed, ...start.random });
}

async function givenStudent(directory: string): Promise<Student> {
  const { config, tensors, generationConfig, close } = await openModelDirectory(directory);
  return { config, weights: tensors.readFloat32Rows, tokenizerDirectory: directory, generationConfig, close };
}

async function layersOfTeacher(directory: string, choice: Parameters<typeof studentOf>[1]): Promise<Student> {
  const { config: teacher, tensors, generationConfig, close } = await openModelDirectory(directory);
  try {
    const { config, sources } = studentOf(teacher, choice);
    const weights: NumbersSource = (name, ...rows) => tensors.readFloat32Rows(sources[name] ?? name, ...rows);
    return { config, weights, tokenizerDirectory: directory, generationConfig, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Of the configuration of the model, or else of the teacher: neither needs weights. */
async function randomStudent(
  { model, teacher }: GivenModels,
  initialisation: { readonly seed: number; readonly standardDeviation: number },
): Promise<Student> {
  const directory = model ?? needed(teacher, 'model');
  const config = await readModelConfig(join(directory, 'config.json'));
  const hasTokenizer = existsSync(join(directory, 'tokenizer.json'));
  return {
    config,
    weights: (name) => initialWeight(config, name, initialisation),
    tokenizerDirectory: hasTokenizer ? directory : (teacher ?? directory),
    generationConfig: undefined,
    close: () => Promise.resolve(),
  };
}

function needed(directory: string | undefined, input: keyof GivenModels): string {
  if (directory !== undefined) return directory;
  throw new NightstillError('student-invalid', `expected the input ${input}, which the student begins as, found none`);
}
