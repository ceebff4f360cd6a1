/** Attempts at a capture from an endpoint, without Temporal: over the dataset of a training ground, for its small model. */
import { join } from 'node:path';
import { captureEndpointOptions } from '../../config/capture-endpoint-options.js';
import type { Progress } from '../../config/child-protocol.js';
import { captureEndpoint, type EndpointCapture } from '../../distillation/capture/capture-endpoint.js';
import { fetchModel } from '../../distillation/index.js';
import { openLogits } from '../../distillation/logits/index.js';
import { budgetOfRun, fromUsd, openLedger } from '../../distillation/responses/index.js';
import { openTokens } from '../../distillation/training/token-cache.js';
import {
  createConversationEncoder,
  openChatTemplate,
  openTokenizer,
  type LengthPolicy,
  type Sample,
  type Tokenizer,
} from '../../engine/index.js';
import type { ArtifactRef, JsonObject } from '../../storage/index.js';
import { CountingTeacher } from './counting-teacher.js';
import { conversationLines } from './model-fixtures.js';
import { scoresAs, type Scoring } from './scoring-teacher.js';
import { claim, stageKeyOf } from './stage.js';
import { temporaryDirectory } from './temporary.js';
import { TrainingGround } from './training-stage.js';

const rowTokens = 64;
/** Of both models of a training ground. */
export const vocabularySize = 1024;

/** What is captured, and for whom. */
export type CaptureGround = Pick<TrainingGround, 'store' | 'dataset' | 'small'>;

export interface EndpointAttempt {
  /** Another name is another stage. */
  readonly name: string;
  readonly teacher: JsonObject;
  readonly with?: JsonObject;
  readonly capUsd?: number;
  readonly drift?: string | null;
  readonly onProgress?: (progress: Progress, abort: AbortController) => void;
}

const described = { model: 'large', revision: '1', terms: { licence: 'MIT', allowsTraining: 'yes' } } as const;

export async function captureAttempt(
  { store, dataset, small }: CaptureGround,
  { name, teacher, with: more, capUsd, drift = null, onProgress }: EndpointAttempt,
): Promise<EndpointCapture & { readonly asked: number }> {
  const options = captureEndpointOptions.parse({ rowTokens, k: 8, ...more, teacher: { ...described, ...teacher } });
  const writer = await claim(store, stageKeyOf(name));
  const ledger = await openLedger(store, {
    teacher: options.teacher,
    runId: name,
    holder: { stage: writer.stageKey, fence: writer.fence },
    ...(capUsd !== undefined && { caps: [{ budget: budgetOfRun(name), amount: fromUsd(capUsd) }] }),
  });
  const abort = new AbortController();
  try {
    const captured = await captureEndpoint({
      store,
      writer,
      dataset,
      student: small,
      options,
      drift,
      apiKey: undefined,
      ledger,
      cacheDirectory: temporaryDirectory(),
      signal: abort.signal,
      progress: (progress) => onProgress?.(progress, abort),
    });
    return { ...captured, asked: (await ledger.report()).asked };
  } finally {
    await ledger.close();
  }
}

export async function tokenizerOf({ store, small }: CaptureGround): Promise<Tokenizer> {
  return openTokenizer(await fetchModel(store, small, temporaryDirectory()));
}

/** The samples of a dataset as the small model trains on them. */
export async function samplesOf(
  { store, dataset, small }: CaptureGround,
  count = Infinity,
  tooLong: LengthPolicy = 'truncate',
): Promise<readonly Sample[]> {
  const directory = await fetchModel(store, small, temporaryDirectory());
  const [tokenizer, template] = [await openTokenizer(directory), await openChatTemplate(directory)];
  const tokens = await openTokens({
    store,
    dataset,
    encoder: createConversationEncoder({ tokenizer, template, answers: 'all' }),
    maximumTokens: rowTokens,
    tooLong,
    cacheDirectory: join(temporaryDirectory(), 'tokens'),
    onRows: () => undefined,
  });
  const samples: Sample[] = [];
  for (let number = 0; number < Math.min(count, tokens.samples); number += 1) samples.push(await tokens.read(number));
  await tokens.close();
  return samples;
}

/** What a store of logits gives for these samples at temperature 1, position after position. */
export async function storedFor({ store }: CaptureGround, artifact: ArtifactRef, samples: readonly Sample[]) {
  const stored = await openLogits(store, artifact, temporaryDirectory());
  const placements = samples.map((sample, row) => ({ row, start: 0, sample }));
  const weights = new Float32Array(samples.length * rowTokens);
  const inputs = await stored.extra({ rows: samples.length, columns: rowTokens, placements, weights }, 1);
  await stored.close();
  const { k } = stored;
  return placements.flatMap(({ row, sample }) =>
    Array.from({ length: sample.ids.length - 1 }, (_, position) => {
      const at = row * rowTokens + position;
      return {
        next: sample.ids[position + 1] ?? -1,
        ids: [...inputs.teacherIds.subarray(at * k, (at + 1) * k)],
        logProbabilities: [...inputs.teacherLogProbabilities.subarray(at * k, (at + 1) * k)],
        missingMass: inputs.teacherMissingMass[at] ?? Number.NaN,
      };
    }),
  );
}

/** An endpoint that scores as it is told, anew for each test, and what is captured from it for the small model. */
export interface ScoredEndpoint {
  readonly server: CountingTeacher;
  readonly ground: CaptureGround;
  readonly tokenizer: Tokenizer;
  readonly says: (scoring: Partial<Scoring>) => void;
  readonly capture: (
    attempt: Partial<EndpointAttempt> & { readonly name: string },
  ) => ReturnType<typeof captureAttempt>;
}

/** To be called at the top of a file: what it returns is there while a test runs. @param rows of the dataset */
export function scoredEndpoint(rows: number): ScoredEndpoint {
  let [server, ground, tokenizer]: [CountingTeacher?, CaptureGround?, Tokenizer?] = [];
  beforeAll(async () => {
    const whole = await TrainingGround.create();
    const dataset = await whole.storeConversations(conversationLines(rows));
    ground = { store: whole.store, small: whole.small, dataset };
    tokenizer = await tokenizerOf(ground);
  });
  beforeEach(async () => {
    server = await CountingTeacher.start();
    here.says({});
  });
  afterEach(() => server?.stop());
  const here: ScoredEndpoint = {
    get server() {
      return server!;
    },
    get ground() {
      return ground!;
    },
    get tokenizer() {
      return tokenizer!;
    },
    says: (scoring) => void (here.server.score = scoresAs({ tokenizer: here.tokenizer, vocabularySize, ...scoring })),
    capture: ({ teacher = {}, ...attempt }) =>
      captureAttempt(here.ground, { ...attempt, teacher: { endpoint: here.server.endpoint, ...teacher } }),
  };
  return here;
}
