/** Everything that a training needs from the store, on this machine: the student, its lesson, and the data as tokens. */
import { join } from 'node:path';
import {
  countSteps,
  createConversationEncoder,
  openChatTemplate,
  openTokenizer,
  sampleSteps,
  type SampleStepSettings,
  type StepSource,
  type TokenShards,
} from '../../engine/index.js';
import type { ArtifactRef, ObjectStore } from '../../storage/index.js';
import { fetchModel } from '../model-artifact.js';
import type { Exercise } from './kinds.js';
import type { Lesson } from './lesson.js';
import type { Report } from './report.js';
import { openStudent, type Student } from './student.js';
import { openTokens } from './token-cache.js';

export interface MaterialsRequest {
  readonly store: ObjectStore;
  readonly exercise: Exercise;
  /** By the names of the stage kind. */
  readonly inputs: Readonly<Record<string, ArtifactRef>>;
  /** Models and tokens are kept here between processes. Safe to delete while nobody trains. */
  readonly cacheDirectory: string;
  readonly report: Report;
}

export interface Materials {
  readonly student: Student;
  readonly lesson: Lesson;
  readonly data: TokenShards;
  readonly heldOut: TokenShards | undefined;
  readonly source: StepSource;
  /** Steps to the end of the training. */
  readonly steps: number;
  readonly close: () => Promise<void>;
}

/** @throws what student, lesson and data throw, and the reason of a stop */
export async function openMaterials(request: MaterialsRequest): Promise<Materials> {
  const opened: { readonly close: () => Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened.toReversed()) await each.close();
  };
  const keep = <Resource extends { readonly close: () => Promise<void> }>(resource: Resource): Resource => {
    opened.push(resource);
    return resource;
  };
  try {
    return { ...(await open(request, keep)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Keep = <Resource extends { readonly close: () => Promise<void> }>(resource: Resource) => Resource;

async function open(request: MaterialsRequest, keep: Keep): Promise<Omit<Materials, 'close'>> {
  const { store, exercise, inputs, cacheDirectory, report } = request;
  const { options } = exercise;
  const fetch = (model: ArtifactRef): Promise<string> =>
    fetchModel(store, model, join(cacheDirectory, 'models'), () => report.alive());
  const directoryOf = (model: ArtifactRef | undefined): Promise<string | undefined> =>
    model === undefined ? Promise.resolve(undefined) : fetch(model);
  const models = { model: await directoryOf(inputs['model']), teacher: await directoryOf(inputs['teacher']) };
  const student = keep(await openStudent(exercise.start, models, options.seed));
  const tokenizer = await openTokenizer(student.tokenizerDirectory);
  const lesson = keep(
    await exercise.lesson({
      store,
      inputs,
      fetch,
      tokenizer,
      vocabularySize: student.config.vocabularySize,
      cacheDirectory: join(cacheDirectory, 'logits'),
      alive: () => report.alive(),
    }),
  );
  const template = await openChatTemplate(student.tokenizerDirectory);
  const encoder = createConversationEncoder({ tokenizer, template, answers: options.answers });
  const tokensOf = async (dataset: ArtifactRef): Promise<TokenShards> =>
    keep(
      await openTokens({
        store,
        dataset,
        encoder,
        maximumTokens: options.rowTokens,
        tooLong: options.tooLong,
        cacheDirectory: join(cacheDirectory, 'tokens'),
        onRows: (done, of) => report.alive({ done, unit: 'rows', ...(of !== undefined && { of }) }),
      }),
    );
  const data = await tokensOf(needed(inputs['dataset']));
  await lesson.confirm?.(data);
  const stream = streamOf(request, data, lesson);
  return {
    student,
    lesson,
    data,
    heldOut: inputs['heldOut'] && (await tokensOf(inputs['heldOut'])),
    source: sampleSteps(data, stream),
    steps: await countSteps(data, stream, options.steps),
  };
}

function streamOf(
  { exercise: { options } }: MaterialsRequest,
  { header }: TokenShards,
  { extra }: Lesson,
): SampleStepSettings {
  const { seed, epochs, rows, rowTokens, microBatches } = options;
  return {
    vocabularySize: header.vocabularySize,
    seed,
    epochs,
    rows,
    columns: rowTokens,
    microBatches,
    ...(extra && { extra }),
  };
}

function needed(dataset: ArtifactRef | undefined): ArtifactRef {
  if (dataset) return dataset;
  throw new TypeError('a stage that trains has an input dataset');
}
