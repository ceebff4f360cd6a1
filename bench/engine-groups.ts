/**
 * The comparisons of the engine's bench, as data. A group is one piece of work with everyone who does it in turn; its rows
 * say who is held against whom in what, and what the goal is.
 */
import { mixedLengths } from './engine-workload.js';
import { modelShapes, type ModelName } from './engine-models.js';
import type { CaptureTask, GenerateTask, ScoreTask, TrainTask } from './engine-measurement.js';

type WithoutFiles<Kind> = Omit<Kind, 'model' | 'ids' | 'threads'>;

/** The task but for its files, which the bench writes. */
export type GroupTask =
  WithoutFiles<TrainTask> | WithoutFiles<GenerateTask> | WithoutFiles<ScoreTask> | WithoutFiles<CaptureTask>;

export type Contestant =
  | { readonly by: 'engine'; readonly backend: 'tensorflow' | 'wasm'; readonly xla: boolean; readonly caches?: 'kept' }
  | { readonly by: 'python'; readonly script: string; readonly options: Readonly<Record<string, boolean | number>> }
  | { readonly by: 'eager tfjs'; readonly backend: 'tensorflow' | 'wasm' };

export interface Goal {
  /** Names of contestants of the group; absent for a limit. */
  readonly against?: string;
  readonly ours?: string;
  readonly what: 'speed' | 'memory' | 'first step';
  /** The least ratio of speeds, the greatest of memory; with `what: 'first step'` the most seconds. */
  readonly goal: number;
}

export interface Group {
  readonly work: string;
  readonly model: ModelName;
  readonly task: GroupTask;
  /** Lengths of the sequences in the file of ids, and how many tokens one timed step or call has. */
  readonly sequences: readonly number[];
  readonly tokens: number;
  /** When not as many as everywhere else. */
  readonly threads?: number;
  /** Measured only where the processor multiplies bfloat16 by itself. */
  readonly needsBfloat16?: true;
  readonly contestants: Readonly<Record<string, Contestant>>;
  readonly goals: readonly Goal[];
}

const tokensPerStep = 1024;
const steps = 20;
const engine: Contestant = { by: 'engine', backend: 'tensorflow', xla: false };
const torch = (compiled: boolean, bfloat16: boolean): Contestant => ({
  by: 'python',
  script: 'train.py',
  options: { compiled, bfloat16 },
});

function training(model: ModelName, length: number, bfloat16: boolean) {
  const batch = tokensPerStep / length;
  return {
    work: `training step, ${model} llama, T ${length}, B ${batch}, ${bfloat16 ? 'bf16' : 'f32'}`,
    model,
    task: {
      work: 'train',
      batch,
      length,
      steps,
      warmupSteps: 3,
      bfloat16,
      optimizer: { learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
    },
    sequences: Array.from({ length: steps * batch }, () => length + 1),
    tokens: tokensPerStep,
  } as const;
}

const trainings = (['5M', '30M'] as const).flatMap((model) =>
  [128, 512].flatMap((length): Group[] => [
    {
      ...training(model, length, false),
      contestants: {
        ours: engine,
        'PyTorch eager': torch(false, false),
        'torch.compile': torch(true, false),
        'tfjs-node eager': { by: 'eager tfjs', backend: 'tensorflow' },
      },
      goals: [
        { against: 'PyTorch eager', what: 'speed', goal: 1.2 },
        { against: 'torch.compile', what: 'speed', goal: 1 },
        { against: 'tfjs-node eager', what: 'speed', goal: 3 },
        { against: 'PyTorch eager', what: 'memory', goal: 1 },
      ],
    },
    {
      ...training(model, length, true),
      needsBfloat16: true,
      contestants: { ours: engine, 'PyTorch bf16 autocast': torch(false, true) },
      goals: [{ against: 'PyTorch bf16 autocast', what: 'speed', goal: 1 }],
    },
  ]),
);

const wasm: Group = {
  ...training('3M', 128, false),
  work: 'training step, 3M llama, T 128, B 8, wasm, one thread',
  threads: 1,
  contestants: {
    ours: { by: 'engine', backend: 'wasm', xla: false },
    'eager wasm, product repaired': { by: 'eager tfjs', backend: 'wasm' },
  },
  goals: [
    { against: 'eager wasm, product repaired', what: 'speed', goal: 1.2 },
    { against: 'eager wasm, product repaired', what: 'memory', goal: 0.5 },
  ],
};

const lengths = mixedLengths(128, 8, 256);

/** Given tokens are scored, by a program of ours against transformers, one by one and in padded batches. */
export const scorings = (name: string, work: 'score' | 'capture'): Group[] =>
  (['5M', '30M'] as const).map((model) => {
    const transformers = (batch: number): Contestant => ({ by: 'python', script: 'score.py', options: { batch } });
    return {
      work: `${name}, ${model} llama, top 10 of 128 sequences of 8 to 256 tokens`,
      model,
      task: { work, lengths, topK: 10, rounds: 3 },
      sequences: lengths,
      tokens: lengths.reduce((sum, length) => sum + length, 0),
      contestants: {
        ours: engine,
        'transformers, one by one': transformers(1),
        'transformers, batches of 16': transformers(16),
      },
      goals: [
        { against: 'transformers, one by one', what: 'speed', goal: 4 },
        { against: 'transformers, batches of 16', what: 'speed', goal: 1.2 },
      ],
    };
  });

const generations = (['5M', '30M'] as const).flatMap((model) =>
  [1, 16].map((batch): Group => {
    const [length, newTokens] = [32, 64];
    return {
      work: `greedy generation, ${model} llama, batch ${batch}, ${newTokens} tokens after ${length}`,
      model,
      task: { work: 'generate', batch, length, newTokens, rounds: 3 },
      sequences: Array.from({ length: batch }, () => length),
      tokens: batch * newTokens,
      contestants: {
        ours: { by: 'engine', backend: 'tensorflow', xla: true },
        'transformers generate': { by: 'python', script: 'generate.py', options: {} },
      },
      goals: [{ against: 'transformers generate', what: 'speed', goal: 1.5 }],
    };
  }),
);

const deep: Group = {
  ...training('24 layers', 128, false),
  work: `first step of ${modelShapes['24 layers'].layers} layers`,
  contestants: {
    'graph, fresh': { by: 'engine', backend: 'tensorflow', xla: false },
    'XLA, fresh': { by: 'engine', backend: 'tensorflow', xla: true },
    // In turn after a first one that filled the caches.
    'graph, second process': { by: 'engine', backend: 'tensorflow', xla: false, caches: 'kept' },
    'XLA, second process': { by: 'engine', backend: 'tensorflow', xla: true, caches: 'kept' },
  },
  goals: [
    { ours: 'graph, fresh', what: 'first step', goal: 10 },
    { ours: 'XLA, fresh', what: 'first step', goal: 20 },
    { ours: 'graph, second process', what: 'first step', goal: 8 },
    { ours: 'XLA, second process', what: 'first step', goal: 8 },
  ],
};

export const groups: readonly Group[] = [...trainings, wasm, ...scorings('scoring', 'score'), ...generations, deep];
