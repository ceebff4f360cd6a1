/** Capturing by the engine: what the scorer says, written into a store of logits in a local directory, durable at the end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { captureRows, LogitWriter } from '../distillation/logits/index.js';
import type { SampleSource, Scorer } from '../engine/index.js';
import { claimStage, openObjectStore, stageKeyOf, type ArtifactRef } from '../storage/index.js';
import { timedCalls, type CaptureTask, type EngineOptions, type Measurement } from './engine-measurement.js';
import { openScoring, type Scoring } from './engine-score.js';

export async function capture(task: CaptureTask, options: EngineOptions): Promise<Measurement> {
  const scoring = await openScoring(task, options);
  const { sequences, compileMs = 0, idleBytes } = scoring;
  let [sums, bytes]: [number[], number] = [[], 0];
  const times = await timedCalls(task.rounds, async () => {
    const directory = await mkdtemp(join(options.cacheDirectory, 'store-'));
    sums = [];
    bytes = (await write(directory, task, { ...scoring, scorer: listened(scoring.scorer, sums) })).bytes;
    await rm(directory, { recursive: true });
  });
  const tokens = sequences.reduce((sum, { length }) => sum + length, 0);
  return { sums, compileMs, idleBytes, bytesPerToken: bytes / tokens, ...times };
}

/** What was scored, for whoever compares. All sequences are in one group of a capture. */
const listened = (scorer: Scorer, sums: number[]): Scorer => ({
  ...scorer,
  async *score(sequences) {
    for await (const scored of scorer.score(sequences)) {
      sums[scored.index] = scored.tokenLogProbabilities.reduce((sum, value) => sum + value, 0);
      yield scored;
    }
  },
});

async function write(
  directory: string,
  { topK: k }: CaptureTask,
  { scorer, sequences, vocabularySize }: Scoring,
): Promise<ArtifactRef> {
  const store = await openObjectStore(pathToFileURL(directory).href, { forWriting: true });
  try {
    const owner = { workflowId: 'bench', runId: 'bench', activityId: 'capture', attempt: 1 };
    const stageKey = stageKeyOf({ kind: 'capture' });
    const work = await LogitWriter.resume({
      store,
      writer: await claimStage(store, { stageKey, owner, isOpen: () => Promise.resolve(false) }),
      header: {
        teacherDigest: 'a teacher',
        tokenizerDigest: 'a tokenizer',
        vocabularySize,
        k,
        temperatures: [1],
        valueType: 'float16',
      },
    });
    for await (const row of captureRows(scorer, samplesOf(sequences))) await work.add(row);
    return await work.finish();
  } finally {
    await store.close();
  }
}

const samplesOf = (sequences: readonly Int32Array[]): Pick<SampleSource, 'samples' | 'read'> => ({
  samples: sequences.length,
  read: (sample) =>
    Promise.resolve({ id: `sample-${sample}`, ids: sequences[sample] ?? new Int32Array(), trained: [] }),
});
