/** A tiny teacher whose distributions are captured by the real scorer, and steps of a tiny student that learns from them. */
import { pathToFileURL } from 'node:url';
import { captureRows, LogitWriter, openLogits, type LogitRow, type Logits } from '../../distillation/logits/index.js';
import type { SampleSource } from '../../engine/data/samples.js';
import { initialWeight } from '../../engine/models/initialise.js';
import type { NumbersSource, Runner } from '../../engine/runners/runner.js';
import { createScorer } from '../../engine/scoring/scorer.js';
import { sampleSteps, type SampleStepSettings, type StepSource } from '../../engine/training/step-source.js';
import { Trainer, type TrainerOptions } from '../../engine/training/trainer.js';
import type { StepEvent } from '../../engine/training/training-events.js';
import { openObjectStore } from '../../storage/index.js';
import { claim, stageKeyOf } from './stage.js';
import { header } from './teacher-rows.js';
import { temporaryDirectory } from './temporary.js';
import { eventsOf, tinyConfig, tinyOptions, tinySamples, tinyStream } from './tiny-run.js';

const samples: SampleSource = tinySamples(20);
const temperatures = [1, 2];
const { vocabularySize } = tinyConfig;

const weightsOf =
  (seed: number): NumbersSource =>
  (name) =>
    initialWeight(tinyConfig, name, { seed, standardDeviation: 0.4 });

export const teacherWeightsOf = weightsOf(7);
const studentWeightsOf = weightsOf(3);

/** The rows that the scorer gives for the samples from one on, in their order. */
export async function capturedRows(runner: Runner, topK: number, from = 0, at = temperatures): Promise<LogitRow[]> {
  const shape = { rowLengths: [8, 16], batchTokens: 64, topK, temperatures: at };
  const scorer = await createScorer({ runner, config: tinyConfig, weights: teacherWeightsOf, ...shape });
  const rows: LogitRow[] = [];
  for await (const row of captureRows(scorer, samples, from)) rows.push(row);
  scorer.dispose();
  return rows;
}

/** The rows in a store of logits, as a training opens them. */
export async function storedLogits(rows: readonly LogitRow[]): Promise<Logits> {
  const store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
  const [row] = rows;
  const k = row === undefined ? 1 : row.topIds.length / (row.ids.length - 1);
  const writer = await claim(store, stageKeyOf('capture'));
  const capture = await LogitWriter.resume({
    store,
    writer,
    header: header({ k, vocabularySize, temperatures }),
    shardBytes: 1000,
  });
  for (const each of rows) await capture.add(each);
  return openLogits(store, await capture.finish(), temporaryDirectory());
}

/** All samples in one step, in rows of 16 tokens. */
export const wholeStep = (logits?: Logits, changes: Partial<SampleStepSettings> = {}, temperature = 1): StepSource =>
  sampleSteps(samples, {
    ...tinyStream,
    epochs: 1,
    rows: 16,
    microBatches: 1,
    ...(logits && { extra: (batch) => logits.extra(batch, temperature) }),
    ...changes,
  });

/** The first steps of a student, from the same weights and with a constant rate. */
export async function firstSteps(
  changes: Pick<TrainerOptions, 'runner' | 'objective' | 'source'> & Partial<TrainerOptions>,
  {
    steps = 1,
    weights = studentWeightsOf,
    frozen,
  }: { steps?: number; weights?: NumbersSource; frozen?: NumbersSource } = {},
): Promise<readonly StepEvent[]> {
  const trainer = await Trainer.create(
    tinyOptions({
      shape: { rows: 16, tokens: 16, microBatches: 1 },
      schedule: { kind: 'constant', peak: 1e-2, totalSteps: steps },
      ...changes,
    }),
  );
  try {
    await trainer.load(weights);
    if (frozen) await trainer.loadFrozen(frozen);
    const events = await eventsOf(trainer, steps);
    return events.flatMap((event) => (event.kind === 'step' ? [event] : []));
  } finally {
    trainer.dispose();
  }
}
