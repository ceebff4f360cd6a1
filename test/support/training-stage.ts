/**
 * Stages that train, capture, evaluate or answer, without Temporal: a store with a dataset and two models of one tokenizer, and the real child process
 * under the real supervision.
 */
import { pathToFileURL } from 'node:url';
import { superviseChild } from '../../activities/child.js';
import type { Progress } from '../../config/child-protocol.js';
import type { Json, JsonObject } from '../../config/json.js';
import type { Numerics } from '../../config/numerics.js';
import { answerOptions } from '../../config/answer-options.js';
import { evaluateOptions } from '../../config/evaluate-options.js';
import { captureOptions, distillOptions, fineTuneOptions } from '../../config/training-options.js';
import { storeModelDirectory } from '../../distillation/index.js';
import { processSettings } from '../../engine/runners/process-settings.js';
import { builtInStages } from '../../plugins/built-in-stages.js';
import {
  lookupResult,
  openObjectStore,
  type ArtifactRef,
  type ObjectStore,
  type StageResult,
  type StageWriter,
} from '../../storage/index.js';
import { conversationLines, copyModel } from './model-fixtures.js';
import { commandLineOf, compiledPath, descendantsOf } from './processes.js';
import { claim, owner, stageKeyOf } from './stage.js';
import { temporaryDirectory } from './temporary.js';

export const wasm: Numerics = { runner: 'wasm', tensorflow: null, xla: false, precision: 'float32', threads: 1 };
export const graph: Numerics = {
  runner: 'tensorflow',
  tensorflow: '2.21.0',
  xla: false,
  precision: 'float32',
  threads: 2,
};

const schemas = {
  'fine-tune': fineTuneOptions,
  capture: captureOptions,
  distill: distillOptions,
  evaluate: evaluateOptions,
  answer: answerOptions,
};

const rowTokens = 64;
/** Tiny, and long enough to be killed on the way. */
const tinyTraining = {
  rowTokens,
  rows: 2,
  microBatches: 2,
  epochs: 100,
  steps: 120,
  learningRate: 1e-2,
  loseAtMost: '100ms',
};

const trainer = { entry: 'workers/trainer.js', tiny: tinyTraining };
const works = {
  'fine-tune': trainer,
  distill: trainer,
  capture: { entry: 'workers/capture-child.js', tiny: { rowTokens } },
  evaluate: { entry: 'workers/evaluate-child.js', tiny: { context: 128, maximumTokens: 16 } },
  answer: { entry: 'workers/answer-child.js', tiny: { context: 128, maximumTokens: 16, keep: ['cut-off'] } },
};

export interface TrainingTask {
  /** Another name is another stage. */
  readonly name: string;
  readonly uses: keyof typeof schemas;
  /** Beside those of a tiny training. */
  readonly with?: JsonObject;
  readonly inputs: Readonly<Record<string, ArtifactRef>>;
  readonly numerics: Numerics;
  /** What identifies the sources that its options name. */
  readonly sources?: JsonObject;
}

export interface Supervision {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Beside a long one for all phases. */
  readonly silenceLimitsMs?: Readonly<Record<string, number>>;
  /** Of the process, beside what its threads ask for. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A store with what can be trained, and on what. */
export class TrainingGround {
  private constructor(
    readonly store: ObjectStore,
    private readonly writer: StageWriter,
    /** 40 conversations. */
    readonly dataset: ArtifactRef,
    /** Of 32 dimensions. */
    readonly small: ArtifactRef,
    /** Of 64 dimensions. */
    readonly large: ArtifactRef,
  ) {}

  static async create(): Promise<TrainingGround> {
    const store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
    const writer = await claim(store, stageKeyOf('what training needs'));
    return new TrainingGround(
      store,
      writer,
      await storeDataset(writer, conversationLines(40)),
      await storeDirectory(store, writer, await copyModel('qwen3-qknorm', temporaryDirectory())),
      await storeDirectory(store, writer, await copyModel('qwen2-gqa-tied', temporaryDirectory())),
    );
  }

  storeConversations(lines: string): Promise<ArtifactRef> {
    return storeDataset(this.writer, lines);
  }

  storeModel(directory: string): Promise<ArtifactRef> {
    return storeDirectory(this.store, this.writer, directory);
  }

  /**
   * Runs the process of a stage to its end.
   * @returns what the stage was sealed with
   * @throws what the supervision throws
   */
  async train(
    task: TrainingTask,
    { signal, onProgress, environment, silenceLimitsMs }: Supervision = {},
  ): Promise<StageResult> {
    const stageKey = stageKeyOf(task.name);
    const { name, with: options, sources = {}, ...stage } = task;
    const { entry, tiny } = works[task.uses];
    const job = {
      ...stage,
      with: schemas[task.uses].parse({ ...tiny, ...options }),
      store: this.store.url,
      stageKey,
      preimage: { name, options: sources },
      owner: owner(),
      declared: builtInStages.find(({ kind }) => kind.kind === task.uses)?.kind.outputs,
      runId: name,
    };
    const variables = { ...process.env, ...processSettings({ threads: task.numerics.threads }), ...environment };
    await superviseChild({
      entry: compiledPath(entry),
      environment: variables as Record<string, string>,
      job: JSON.parse(JSON.stringify(job)) as Json,
      silenceLimitsMs: { start: 300_000, ...silenceLimitsMs },
      answer: () => Promise.resolve(false),
      onProgress: (progress) => onProgress?.(progress),
      signal: signal ?? new AbortController().signal,
    });
    const result = await lookupResult(this.store, stageKey);
    if (!result) throw new Error('expected a result');
    return result;
  }
}

/** The process of a stage that this process supervises. */
export function trainerPid(uses: TrainingTask['uses'] = 'fine-tune'): number {
  const { entry } = works[uses];
  const pid = descendantsOf(process.pid).find((candidate) => commandLineOf(candidate).includes(entry));
  if (pid === undefined) throw new Error(`expected a process of ${entry}, found none`);
  return pid;
}

async function storeDirectory(store: ObjectStore, writer: StageWriter, directory: string): Promise<ArtifactRef> {
  const [signal, onProgress] = [new AbortController().signal, () => undefined];
  return storeModelDirectory(pathToFileURL(directory).href, { store, writer, signal, onProgress });
}

/** Rows in the form of imported datasets. */
export async function storeDataset(writer: StageWriter, lines: string): Promise<ArtifactRef> {
  const rows = lines.split('\n').length - 1;
  const part = { ...(await writer.putBlob(Buffer.from(lines))), rows };
  return writer.putArtifact({ kind: 'dataset', parts: [part], meta: { format: 'nightstill-messages-1' } });
}
