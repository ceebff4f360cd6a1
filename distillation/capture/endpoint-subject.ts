/** What an endpoint is asked about: the tokens that the student trains on, by its tokenizer, its chat template, its length policy. */
import { join } from 'node:path';
import { NightstillError } from '../../config/errors.js';
import type { CaptureEndpointOptions } from '../../config/capture-endpoint-options.js';
import {
  createConversationEncoder,
  openChatTemplate,
  openTokenizer,
  readModelConfig,
  type Tokenizer,
  type TokenShards,
} from '../../engine/index.js';
import type { ArtifactRef, ObjectStore } from '../../storage/index.js';
import { fetchModel } from '../model-artifact.js';
import type { Report } from '../training/report.js';
import { openTokens } from '../training/token-cache.js';

export interface EndpointSubjectRequest {
  readonly store: ObjectStore;
  readonly options: CaptureEndpointOptions;
  readonly dataset: ArtifactRef;
  readonly student: ArtifactRef;
  /** Models and tokens are kept here between processes. */
  readonly cacheDirectory: string;
  readonly report: Report;
}

export interface EndpointSubject {
  readonly tokenizer: Tokenizer;
  /** Of the student: ids are below it. */
  readonly vocabularySize: number;
  readonly data: TokenShards;
}

/** @throws inference-setting-invalid for more ids than there are, teacher-mismatch; what models and data throw */
export async function openEndpointSubject(request: EndpointSubjectRequest): Promise<EndpointSubject> {
  const { store, options, dataset, student, cacheDirectory, report } = request;
  const directory = await fetchModel(store, student, join(cacheDirectory, 'models'), () => report.alive());
  const [tokenizer, template] = [await openTokenizer(directory), await openChatTemplate(directory)];
  const { vocabularySize } = await readModelConfig(join(directory, 'config.json'));
  if (options.k > vocabularySize)
    throw new NightstillError('inference-setting-invalid', `k: expected 1 to ${vocabularySize}, found ${options.k}`);
  if (tokenizer.vocabularySize > vocabularySize)
    throw new NightstillError(
      'teacher-mismatch',
      `expected a student with all ${tokenizer.vocabularySize} ids of its tokenizer, found ${vocabularySize}`,
    );
  const data = await openTokens({
    store,
    dataset,
    encoder: createConversationEncoder({ tokenizer, template, answers: options.answers }),
    maximumTokens: options.rowTokens,
    tooLong: options.tooLong,
    cacheDirectory: join(cacheDirectory, 'tokens'),
    onRows: (done, of) => report.alive({ done, unit: 'rows', ...(of !== undefined && { of }) }),
  });
  return { tokenizer, vocabularySize, data };
}
