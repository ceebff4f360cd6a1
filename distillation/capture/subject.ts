/**
 * What is captured: a teacher, and the tokens that it is asked about. The tokens are those that the student trains on: its
 * tokenizer, its chat template, its length policy. Models of one family pad their vocabularies differently: the teacher is cut to
 * the ids that the student has too, and gives a distribution over these alone.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NightstillError } from '../../config/errors.js';
import type { CaptureOptions } from '../../config/training-options.js';
import {
  createConversationEncoder,
  openChatTemplate,
  openModelDirectory,
  openTokenizer,
  readModelConfig,
  type ConversationEncoder,
  type ModelConfig,
  type NumbersSource,
  type Tokenizer,
  type TokenShards,
} from '../../engine/index.js';
import type { ArtifactRef, ObjectStore } from '../../storage/index.js';
import { fetchModel } from '../model-artifact.js';
import type { Report } from '../training/report.js';
import { openTokens } from '../training/token-cache.js';
import { unalignedShare } from './alignment.js';

export interface SubjectRequest {
  readonly store: ObjectStore;
  readonly options: CaptureOptions;
  /** By the names of the stage kind. */
  readonly inputs: Readonly<Record<string, ArtifactRef>>;
  /** Models and tokens are kept here between processes. */
  readonly cacheDirectory: string;
  readonly report: Report;
}

export interface Subject {
  /** Cut to the vocabulary that it shares with the student. */
  readonly teacher: { readonly config: ModelConfig; readonly weights: NumbersSource };
  readonly tokenizerDigest: string;
  readonly data: TokenShards;
  /** Of the samples: those that the teacher's own chat template would write otherwise; null where it has none. */
  readonly unalignedShare: number | null;
  readonly close: () => Promise<void>;
}

/** @throws teacher-mismatch for another tokenizer, or one with more ids than the models share; what models and data throw */
export async function openSubject(request: SubjectRequest): Promise<Subject> {
  const { store, options, inputs, cacheDirectory, report } = request;
  const fetch = (model: ArtifactRef): Promise<string> =>
    fetchModel(store, model, join(cacheDirectory, 'models'), () => report.alive());
  const teacher = await fetch(needed(inputs['teacher']));
  const student = inputs['student'] && (await fetch(inputs['student']));
  const studentConfig = student === undefined ? undefined : await readModelConfig(join(student, 'config.json'));
  const own = await encoderOf(teacher, options);
  // As a training does: a student that begins at random may have no tokenizer.
  const hasTokenizer = student !== undefined && existsSync(join(student, 'tokenizer.json'));
  const asked = hasTokenizer ? await encoderOf(student, options) : own;
  confirmSameTokenizer(own.tokenizer, asked.tokenizer);
  const { encoder } = asked;
  if (encoder === undefined) throw asked.refusal;
  const tokensOf = (by: ConversationEncoder): Promise<TokenShards> =>
    openTokens({
      store,
      dataset: needed(inputs['dataset']),
      encoder: by,
      maximumTokens: options.rowTokens,
      tooLong: options.tooLong,
      cacheDirectory: join(cacheDirectory, 'tokens'),
      onRows: (done, of) => report.alive({ done, unit: 'rows', ...(of !== undefined && { of }) }),
    });
  const model = await openModelDirectory(teacher);
  try {
    const config = sharedConfig(model.config, studentConfig, asked.tokenizer);
    const data = await tokensOf(encoder);
    return {
      teacher: { config, weights: model.tensors.readFloat32Rows },
      tokenizerDigest: asked.tokenizer.digest,
      data,
      unalignedShare: await unalignedShare(data, encoder, own.encoder, tokensOf),
      close: async () => {
        await data.close();
        await model.close();
      },
    };
  } catch (error) {
    await model.close();
    throw error;
  }
}

interface Writing {
  readonly tokenizer: Tokenizer;
  /** Undefined where the model has no chat template, with the error that says so. */
  readonly encoder: ConversationEncoder | undefined;
  readonly refusal: unknown;
}

async function encoderOf(directory: string, { answers }: CaptureOptions): Promise<Writing> {
  const tokenizer = await openTokenizer(directory);
  try {
    const template = await openChatTemplate(directory);
    return { tokenizer, encoder: createConversationEncoder({ tokenizer, template, answers }), refusal: undefined };
  } catch (refusal) {
    return { tokenizer, encoder: undefined, refusal };
  }
}

function confirmSameTokenizer(teachers: Tokenizer, students: Tokenizer): void {
  if (teachers.digest === students.digest) return;
  throw new NightstillError(
    'teacher-mismatch',
    `expected a teacher with the tokenizer of the student (digest ${students.digest}), found one with digest ${teachers.digest}`,
  );
}

/** Vocabularies of 151,936 and 152,064 rows are one tokenizer, padded differently: what both have is the shorter one. */
function sharedConfig(teacher: ModelConfig, student: ModelConfig | undefined, tokenizer: Tokenizer): ModelConfig {
  const vocabularySize = Math.min(teacher.vocabularySize, student?.vocabularySize ?? Infinity);
  if (tokenizer.vocabularySize <= vocabularySize) return { ...teacher, vocabularySize };
  throw new NightstillError(
    'teacher-mismatch',
    `expected models with all ${tokenizer.vocabularySize} ids of their tokenizer, found ${vocabularySize} that teacher and student share`,
  );
}

function needed(input: ArtifactRef | undefined): ArtifactRef {
  if (input) return input;
  throw new TypeError('a capture has the inputs dataset and teacher');
}
