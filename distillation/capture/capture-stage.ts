/**
 * One attempt at a capture: the distributions of a teacher over the tokens of a dataset, as the student will train on them. Killed
 * at any moment, the next attempt goes on from the last durable shard and comes to the same artifact on a machine that computes
 * the same bits; where it does not, the artifact says so.
 */
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { captureOptions, type CaptureOptions } from '../../config/training-options.js';
import type { Numerics } from '../../config/numerics.js';
import { createScorer, repeatsItsBits, type Fingerprint, type ScorerOptions } from '../../engine/index.js';
import type { ArtifactRef, JsonObject } from '../../storage/index.js';
import { captureRows, describeMass, LogitWriter } from '../logits/index.js';
import { Report } from '../training/report.js';
import type { TrainingOutcome, TrainingPlace } from '../training/train-stage.js';
import { openSubject, type Subject } from './subject.js';

export interface CaptureJob {
  readonly with: JsonObject;
  readonly inputs: Readonly<Record<string, ArtifactRef>>;
  readonly numerics: Numerics;
}

/** What an attempt works with. */
interface Attempt {
  readonly options: CaptureOptions;
  readonly job: CaptureJob;
  readonly place: TrainingPlace;
  readonly subject: Subject;
  readonly report: Report;
}

/** @throws teacher-mismatch, distribution-invalid, machine-differs; the codes of models, data, scorer and store; the reason of `stop` */
export async function captureStage(job: CaptureJob, place: TrainingPlace): Promise<TrainingOutcome> {
  const { store, cacheDirectory, progress, stop } = place;
  const startedAtMs = performance.now();
  const options = captureOptions.parse(job.with); // has passed it before
  const report = new Report(progress, stop);
  report.begin('load');
  const subject = await openSubject({ store, options, inputs: job.inputs, cacheDirectory, report });
  try {
    const attempt = { options, job, place, subject, report };
    const { work, tokensPerSecond } = await capture(attempt);
    report.begin('seal');
    const logits = await work.finish();
    return {
      outputs: { logits },
      facts: factsOf(attempt, work, logits),
      observations: {
        host: hostname(),
        lastAttemptMs: Math.round(performance.now() - startedAtMs),
        tokensPerSecond,
        claims: place.writer.fence,
      },
      reproducible: work.resumedInexactlyAt.length === 0 && repeatsItsBits(place.runner.fingerprint),
    };
  } finally {
    await subject.close();
  }
}

async function capture(attempt: Attempt): Promise<{ readonly work: LogitWriter; readonly tokensPerSecond: number }> {
  const { subject, report, place } = attempt;
  const { stop } = place;
  report.begin('compile');
  await setImmediate(); // compiling does not yield
  const settings = scoringOf(attempt);
  const scorer = await createScorer({ ...settings, ...subject.teacher, runner: place.runner });
  try {
    report.begin('restore');
    const work = await openWriter(attempt, settings);
    const pace = new Pace(subject);
    report.begin('capture', pace.facts(work.rows));
    try {
      for await (const row of captureRows(scorer, subject.data, work.rows, (done) => report.alive(pace.facts(done))))
        await work.add(row);
    } catch (error) {
      if (stop.aborted) await work.saveNow();
      throw error;
    }
    return { work, tokensPerSecond: pace.tokensPerSecond };
  } finally {
    scorer.dispose();
  }
}

/** Bits depend on these beside teacher and tokens. */
type Scoring = Pick<ScorerOptions, 'rowLengths' | 'batchTokens' | 'topK' | 'xla' | 'precision'> & {
  readonly temperatures: readonly number[];
};

function scoringOf({ options, subject, job }: Attempt): Scoring {
  const { k, temperatures, batchTokens } = options;
  const { xla, precision } = job.numerics;
  const rowLength = Math.min(options.rowTokens, subject.teacher.config.maximumPositions);
  return { rowLengths: [rowLength], batchTokens, topK: k, temperatures, xla, precision };
}

function openWriter(
  { options, job, subject, place, report }: Attempt,
  { xla, precision }: Scoring,
): Promise<LogitWriter> {
  const { store, writer, runner } = place;
  const { k, temperatures, valueType, shardBytes, onDifferentMachine } = options;
  const fingerprint: Fingerprint = { ...runner.fingerprint, xla: xla ?? false, precision: precision ?? 'float32' };
  return LogitWriter.resume({
    store,
    writer,
    header: {
      teacherDigest: job.inputs['teacher']?.digest ?? '',
      tokenizerDigest: subject.tokenizerDigest,
      vocabularySize: subject.teacher.config.vocabularySize,
      k,
      temperatures,
      valueType,
    },
    shardBytes,
    fingerprint,
    onDifferentMachine,
    onProgress({ durableShards }) {
      report.alive();
      if (durableShards > 0) report.durable({ step: durableShards, fence: writer.fence });
    },
  });
}

function factsOf({ options, job, subject }: Attempt, work: LogitWriter, logits: ArtifactRef): JsonObject {
  const { mass, resumedInexactlyAt } = work;
  const { k, temperatures } = options;
  return {
    rows: logits.rows ?? 0,
    tokens: mass.tokens,
    distributions: mass.positions,
    k,
    vocabularySize: subject.teacher.config.vocabularySize,
    bytesPerToken: Number((logits.bytes / mass.tokens).toFixed(2)),
    capturedMass: describeMass(mass, temperatures),
    unalignedShare: subject.unalignedShare,
    dataset: { ...subject.data.statistics },
    inputs: Object.fromEntries(Object.entries(job.inputs).map(([name, { digest }]) => [name, digest])),
    ...(resumedInexactlyAt.length > 0 && { resumedInexactlyAt: [...resumedInexactlyAt] }),
  };
}

/** How far the capture is, and how fast this attempt is. */
class Pace {
  readonly #beganAtMs = performance.now();
  #counted: number | undefined;
  #tokens = 0;

  constructor(private readonly subject: Subject) {}

  /** @param done samples that are behind */
  facts(done: number) {
    const { data } = this.subject;
    // What is scored again after a cut-off counts as work.
    for (let sample = this.#counted ?? done; sample < done; sample++) this.#tokens += data.lengthOf(sample);
    this.#counted = done;
    const { tokensPerSecond } = this;
    return { done, of: data.samples, unit: 'samples', ...(this.#tokens > 0 && { tokensPerSecond }) };
  }

  get tokensPerSecond(): number {
    return Math.round((this.#tokens * 1000) / (performance.now() - this.#beganAtMs));
  }
}
