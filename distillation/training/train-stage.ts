/**
 * One attempt at a stage that trains, from its inputs to its outputs: a student learns a dataset, by labels or from a teacher.
 * Killed at any moment, the next attempt goes on from the last durable checkpoint, and the outputs come out the same, bit for bit,
 * on a machine that computes the same bits; where it does not, the outputs say so. A GPU may not come to the same bits twice: its
 * result does not claim to be reproducible, unless TensorFlow is told to be deterministic.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { Progress } from '../../config/child-protocol.js';
import type { Numerics } from '../../config/numerics.js';
import { repeatsItsBits, Trainer, type Runner, type TrainerOptions } from '../../engine/index.js';
import type { ArtifactRef, JsonObject, ObjectStore, StageOutcome, StageWriter } from '../../storage/index.js';
import { Checkpoints } from './checkpoints.js';
import { heldOutLoss, type HeldOutLoss } from './held-out.js';
import { exerciseOf, type Exercise } from './kinds.js';
import { openMaterials, type Materials } from './materials.js';
import { storeMetrics, storeStudent } from './outputs.js';
import { Report } from './report.js';
import { takeUp } from './take-up.js';
import { trainToEnd } from './train-to-end.js';
import type { TrainingCheckpoint } from './training-checkpoint.js';

export interface TrainingJob {
  /** The stage kind. */
  readonly uses: string;
  readonly with: JsonObject;
  readonly inputs: Readonly<Record<string, ArtifactRef>>;
  readonly numerics: Numerics;
}

export interface TrainingPlace {
  readonly store: ObjectStore;
  /** Of the claimed stage. */
  readonly writer: StageWriter;
  readonly runner: Runner;
  /** Models, tokens and outputs lie here for a while. */
  readonly cacheDirectory: string;
  readonly progress: (progress: Progress) => void;
  /** Aborted: what was trained is made durable, then the reason is thrown. */
  readonly stop: AbortSignal;
}

export type TrainingOutcome = Pick<StageOutcome, 'outputs' | 'facts' | 'observations' | 'reproducible'>;

/** What an attempt works with. */
interface Attempt {
  readonly job: TrainingJob;
  readonly place: TrainingPlace;
  readonly exercise: Exercise;
  readonly materials: Materials;
  readonly report: Report;
}

/** @throws the codes of materials, trainer and store; machine-differs; the reason of `stop` */
export async function trainStage(job: TrainingJob, place: TrainingPlace): Promise<TrainingOutcome> {
  const { store, cacheDirectory, progress, stop } = place;
  const report = new Report(progress, stop);
  const exercise = exerciseOf(job.uses, job.with);
  report.begin('load');
  const materials = await openMaterials({ store, exercise, inputs: job.inputs, cacheDirectory, report });
  try {
    report.begin('compile');
    await setImmediate(); // compiling does not yield
    const attempt = { job, place, exercise, materials, report };
    const trainer = await Trainer.create(trainerOptions(attempt));
    try {
      return await train(attempt, trainer);
    } finally {
      trainer.dispose();
    }
  } finally {
    await materials.close();
  }
}

async function train(attempt: Attempt, trainer: Trainer): Promise<TrainingOutcome> {
  const { exercise, materials, report, place } = attempt;
  const { microBatches, loseAtMost, onDifferentMachine } = exercise.options;
  const { writer, stop } = place;
  const startedAtMs = performance.now();
  report.begin('restore');
  const { kept, number } = await takeUp({
    trainer,
    writer,
    report,
    weights: materials.student.weights,
    frozen: materials.lesson.frozen,
    microBatches,
    onDifferentMachine,
  });
  const onDurable = report.durable.bind(report);
  const onPack = report.saving.bind(report);
  const settings = { trainer, writer, microBatches, loseAtMostMs: loseAtMost, kept, onDurable, onPack };
  const checkpoints = new Checkpoints(settings, number);
  const { steps, lesson } = materials;
  report.begin('train', { done: trainer.step, of: steps, unit: 'steps' });
  const { metrics } = kept;
  const [beganAtMs, tokensBefore] = [performance.now(), metrics.tokens];
  await trainToEnd({ trainer, steps, metrics, checkpoints, report, check: lesson.check, stop });
  const trainingMs = performance.now() - beganAtMs;
  return {
    ...(await resultOf(attempt, trainer, kept)),
    observations: {
      host: hostname(),
      lastAttemptMs: Math.round(performance.now() - startedAtMs),
      tokensPerSecond: Math.round((metrics.tokens - tokensBefore) / (trainingMs / 1000)),
      claims: writer.fence,
      checkpoints: { ...checkpoints.costs },
    },
  };
}

async function resultOf(
  attempt: Attempt,
  trainer: Trainer,
  kept: TrainingCheckpoint,
): Promise<Pick<StageOutcome, 'outputs' | 'facts' | 'reproducible'>> {
  const { place, materials, report, job } = attempt;
  const { store, writer, cacheDirectory, stop } = place;
  const { metrics, resumedInexactlyAt } = kept;
  const { data, student } = materials;
  const heldOut = await measured(attempt, trainer);
  report.begin('seal');
  const alive = (): void => report.alive();
  const workDirectory = join(cacheDirectory, 'students');
  const model = await storeStudent({
    store,
    writer,
    trainer,
    student,
    resumedInexactlyAt,
    workDirectory,
    stop,
    alive,
  });
  const exact = resumedInexactlyAt.length === 0;
  return {
    outputs: { model, metrics: await storeMetrics(writer, kept) },
    facts: {
      steps: trainer.step,
      tokens: metrics.tokens,
      loss: metrics.last?.loss ?? null,
      ...(heldOut && { heldOut: { ...heldOut } }),
      dataset: { ...data.statistics },
      inputs: Object.fromEntries(Object.entries(job.inputs).map(([name, { digest }]) => [name, digest])),
      ...(!exact && { resumedInexactlyAt: [...resumedInexactlyAt] }),
    },
    reproducible: exact && repeatsItsBits(trainer.fingerprint),
  };
}

/** On the data that is held out, where there is some. */
async function measured(
  { place, materials, exercise, report, job }: Attempt,
  trainer: Trainer,
): Promise<HeldOutLoss | undefined> {
  const { heldOut: data, student } = materials;
  if (!data) return undefined;
  report.begin('evaluate', { done: 0, of: data.samples, unit: 'samples' });
  return heldOutLoss({
    runner: place.runner,
    config: student.config,
    weights: (name) => trainer.read(name),
    data,
    rowTokens: exercise.options.rowTokens,
    rows: exercise.options.rows,
    xla: job.numerics.xla,
    onSamples: (done, of) => report.alive({ done, of, unit: 'samples' }),
  });
}

function trainerOptions({ exercise, materials, place, job }: Attempt): TrainerOptions {
  const { options } = exercise;
  const { rows, rowTokens: tokens, microBatches, beta1, beta2, epsilon, maximumGradientNorm } = options;
  return {
    runner: place.runner,
    config: materials.student.config,
    shape: { rows, tokens, microBatches },
    objective: materials.lesson.objective,
    optimizer: { beta1, beta2, epsilon, decay: { value: options.weightDecay }, maximumGradientNorm },
    schedule: {
      kind: options.schedule,
      peak: options.learningRate,
      totalSteps: materials.steps,
      warmUp: { ratio: options.warmUpRatio },
      minimumRatio: options.minimumRatio,
    },
    source: materials.source,
    seed: options.seed,
    vocabularyChunks: options.vocabularyChunks,
    recompute: options.recompute,
    xla: job.numerics.xla,
    precision: job.numerics.precision,
  };
}
