/**
 * The process that computes for a model server: it holds the model and answers one step after another, while the process that
 * started it goes on answering requests. It ends when that process is gone, within two seconds also in the middle of a step;
 * signals of a terminal are its parent's affair.
 */
import { Worker } from 'node:worker_threads';
import { readEnvironment } from '../../config/environment.js';
import { asNightstillError, hasCode, NightstillError } from '../../config/errors.js';
import { tensorflowRelease, type Numerics } from '../../config/numerics.js';
import {
  createGenerator,
  createScorer,
  openModelDirectory,
  openTokenizer,
  promptLengthsUpTo,
  type Generator,
  type ModelDirectory,
  type Runner,
  type Scorer,
} from '../../engine/index.js';
import { openRunner } from '../open-runner.js';
import {
  mostAlternatives,
  type EngineJob,
  type FromEngine,
  type PromptScore,
  type ToEngine,
} from './engine-protocol.js';
import { ScoringQueue } from './scoring-queue.js';

interface Loaded {
  readonly job: EngineJob;
  readonly runner: Runner;
  readonly model: ModelDirectory;
  readonly generator: Generator;
  /** Weights lie in memory a second time with it: it is made for the first prompt that is to be scored. */
  scorer?: Promise<Scorer>;
}

let loaded: Loaded | undefined;
const cancels = new Map<number, AbortController>();
const scoring = new ScoringQueue((id, prompt) =>
  answering(id, async () => send({ type: 'scored', id, score: await score(model(), prompt) })),
);

new Worker(new URL('../parent-watch.js', import.meta.url), { workerData: { parent: process.ppid } }).unref();
process.on('disconnect', () => process.exit(1));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (message: ToEngine) => void take(message));

const send = (message: FromEngine): void => void process.send?.(message);

function take(message: ToEngine): Promise<void> | void {
  switch (message.type) {
    case 'load':
      return answering(undefined, async () => {
        loaded = await load(message.job);
        send({ type: 'ready', facts: { fingerprint: loaded.runner.fingerprint } });
      });
    case 'generate':
      return answering(message.id, () => generate(message));
    case 'score':
      return scoring.add(message.id, message.prompt);
    case 'cancel':
      scoring.cancel(message.id);
      return cancels.get(message.id)?.abort();
  }
}

async function answering(id: number | undefined, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const { code, message } = asNightstillError(error);
    send({ type: 'failed', ...(id !== undefined && { id }), failure: { code, message } });
  }
}

function model(): Loaded {
  if (loaded !== undefined) return loaded;
  throw new NightstillError('child-protocol', 'expected a model before the first request, found none');
}

async function load(job: EngineJob): Promise<Loaded> {
  const { directory, slots, capacity } = job;
  const opened = await openModelDirectory(directory);
  const { config, tensors, generationConfig } = opened;
  const ends = generationConfig?.endOfSequence ?? [];
  const runner = await runnerOf(job);
  const generator = await createGenerator({
    runner,
    config,
    weights: tensors.readFloat32Rows,
    tokenizer: await openTokenizer(directory),
    endOfSequence: ends.length > 0 ? ends : config.endOfSequence,
    slots,
    capacity,
    promptLengths: promptLengthsUpTo(capacity),
  });
  return { job, runner, model: opened, generator };
}

async function runnerOf({ runner, threads }: EngineJob): Promise<Runner> {
  const { cacheDirectory } = readEnvironment();
  const numerics = { xla: false, precision: 'float32', threads } as const;
  const open = (more: Pick<Numerics, 'runner' | 'tensorflow'>) => openRunner({ ...numerics, ...more }, cacheDirectory);
  const wasm = { runner: 'wasm', tensorflow: null } as const;
  const native = { runner: 'tensorflow', tensorflow: tensorflowRelease } as const;
  if (runner !== 'best') return open(runner === 'wasm' ? wasm : native);
  return open(native).catch((error: unknown) => {
    if (hasCode(error, 'numerics-unavailable', 'engine-unavailable')) return open(wasm);
    throw error;
  });
}

async function generate({ id, request }: Extract<ToEngine, { type: 'generate' }>): Promise<void> {
  const cancel = new AbortController();
  cancels.set(id, cancel);
  try {
    for await (const event of model().generator.generate({ ...request, signal: cancel.signal }))
      send({ type: 'event', id, event });
  } finally {
    cancels.delete(id);
  }
}

/** Each prompt alone: beside others it would round differently. */
async function score(from: Loaded, prompt: Int32Array): Promise<PromptScore> {
  from.scorer ??= scorerOf(from).catch((error: unknown) => {
    // Memory may suffice for the next.
    delete from.scorer;
    throw error;
  });
  const scorer = await from.scorer;
  for await (const { tokenLogProbabilities, topIds, distributions } of scorer.score([prompt])) {
    const topLogProbabilities = distributions[0]?.topLogProbabilities ?? new Float32Array();
    return { tokenLogProbabilities, topIds, topLogProbabilities };
  }
  throw new NightstillError('engine-failed', 'expected the scores of a prompt, found none');
}

const scorerOf = ({ job, runner, model: { config, tensors } }: Loaded): Promise<Scorer> =>
  createScorer({
    runner,
    config,
    weights: tensors.readFloat32Rows,
    rowLengths: promptLengthsUpTo(job.capacity),
    batchTokens: 1,
    topK: Math.min(mostAlternatives, config.vocabularySize),
  });
