/** Scoring by the engine: sequences of mixed length packed into rows, the most probable ids picked where the logits are. */
import { createScorer, openModelDirectory, type Scorer } from '../engine/index.js';
import {
  memoryBytes,
  timedCalls,
  type CaptureTask,
  type EngineOptions,
  type Measurement,
  type ScoreTask,
} from './engine-measurement.js';
import { createRunner } from './engine-train.js';
import { readRows } from './engine-workload.js';

/** Rows as long as the longest sequence, a handful to a call. */
const [rowLength, batchTokens] = [256, 1024];

export interface Scoring extends Pick<Measurement, 'compileMs' | 'idleBytes'> {
  readonly scorer: Scorer;
  readonly sequences: readonly Int32Array[];
  readonly vocabularySize: number;
}

/** Compiled and loaded. */
export async function openScoring(task: ScoreTask | CaptureTask, options: EngineOptions): Promise<Scoring> {
  const runner = createRunner(options);
  const idleBytes = memoryBytes('VmRSS');
  const { config, tensors, close } = await openModelDirectory(task.model);
  const sequences = await readSequences(task);
  const started = performance.now();
  const scorer = await createScorer({
    runner,
    config,
    weights: (name) => tensors.readFloat32(name),
    rowLengths: [rowLength],
    batchTokens,
    topK: task.topK,
  });
  const compileMs = performance.now() - started;
  await close();
  return { scorer, sequences, vocabularySize: config.vocabularySize, compileMs, idleBytes };
}

export async function score(task: ScoreTask, options: EngineOptions): Promise<Measurement> {
  const { scorer, sequences, compileMs = 0, idleBytes } = await openScoring(task, options);
  const sums: number[] = [];
  const times = await timedCalls(task.rounds, async () => {
    for await (const { index, tokenLogProbabilities } of scorer.score(sequences))
      sums[index] = tokenLogProbabilities.reduce((sum, value) => sum + value, 0);
  });
  return { sums, compileMs, idleBytes, ...times };
}

async function readSequences({ ids, lengths }: ScoreTask | CaptureTask): Promise<Int32Array[]> {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const [all = new Int32Array()] = await readRows(ids, total);
  let start = 0;
  return lengths.map((length) => all.slice(start, (start += length)));
}
