/** Scoring by the engine: sequences of mixed length packed into rows, the most probable ids picked where the logits are. */
import { createScorer, openModelDirectory } from '../engine/index.js';
import { memoryBytes, timedCalls, type EngineOptions, type Measurement, type ScoreTask } from './engine-measurement.js';
import { createRunner } from './engine-train.js';
import { readRows } from './engine-workload.js';

/** Rows as long as the longest sequence, a handful to a call. */
const [rowLength, batchTokens] = [256, 1024];

export async function score(task: ScoreTask, options: EngineOptions): Promise<Measurement> {
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
  const sums: number[] = [];
  const times = await timedCalls(task.rounds, async () => {
    for await (const { index, tokenLogProbabilities } of scorer.score(sequences))
      sums[index] = tokenLogProbabilities.reduce((sum, value) => sum + value, 0);
  });
  return { sums, compileMs, idleBytes, ...times };
}

async function readSequences({ ids, lengths }: ScoreTask): Promise<Int32Array[]> {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const [all = new Int32Array()] = await readRows(ids, total);
  let start = 0;
  return lengths.map((length) => all.slice(start, (start += length)));
}
