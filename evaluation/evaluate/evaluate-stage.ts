/**
 * One attempt at an evaluation: a model answers every item of a set, and scorers judge the answers. Killed at any moment, the next
 * attempt goes on from the last durable part and comes to the same artifact on a machine that computes the same bits; where it
 * does not, the artifact says so. Times and memory are observations: they are never part of what the artifact is.
 */
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { Progress } from '../../config/child-protocol.js';
import { evaluateOptionsWith, type EvaluateOptions } from '../../config/evaluate-options.js';
import { openChatModel, repeatsItsBits, type ChatModel, type Fingerprint, type Runner } from '../../engine/index.js';
import type { Scorer } from '../scorers/scorer.js';
import { evaluateItems, type JudgedItem } from './evaluate-items.js';
import { divergencesOf, incomparable, type DivergenceRequest } from './diverge.js';
import { factsOfDivergence, factsOfResults } from './facts.js';
import type { Incomparable } from './incomparable.js';
import { itemsOf, type Item } from './items.js';
import { identityOf, namesOf, type EvaluationJob, type EvaluationOutcome, type JudgingPlace } from './job.js';
import { latencyOf } from './latency.js';
import { EvaluationProgress } from './progress.js';
import { ScoreWriter } from './score-writer.js';
import { openScorers } from './scorers.js';

export interface EvaluationPlace extends JudgingPlace {
  readonly runner: Runner;
  /** The directory of the model. */
  readonly model: (onRead: () => void) => Promise<{ readonly directory: string; readonly weightBytes: number }>;
  /** The directory of the teacher, where one is given to be compared with. */
  readonly teacher: (onRead: () => void) => Promise<string | undefined>;
}

interface Attempt {
  readonly options: EvaluateOptions;
  readonly job: EvaluationJob;
  readonly place: EvaluationPlace;
  readonly items: readonly Item[];
  readonly scorers: readonly Scorer[];
  readonly progress: EvaluationProgress;
}

/** @throws evaluation-invalid, dataset-empty, machine-differs; the codes of models, data, scorers and store; the reason of `stop` */
export async function evaluateStage(job: EvaluationJob, place: EvaluationPlace): Promise<EvaluationOutcome> {
  const startedAtMs = performance.now();
  const progress = new EvaluationProgress(place.progress, place.stop);
  progress.begin('load');
  const opened = await openScorers(namesOf(job), {
    database: await place.database(),
    module: place.scorerModule,
  });
  const { scorers } = opened;
  try {
    const options = evaluateOptionsWith(opened.ownVersions).parse(job.with); // has passed it before
    const items = await itemsOf(place.rows(), options);
    const { directory, weightBytes } = await place.model(progress.alive);
    const teacher = await place.teacher(progress.alive);
    const attempt = { options, job, place, items, scorers, progress };
    const work = await resumed(attempt);
    const reason = teacher === undefined ? undefined : await diverge(attempt, work, { model: directory, teacher });
    const { unheededSettings } = await evaluate(attempt, work, directory);
    progress.begin('seal');
    const scores = await work.finish();
    const { results, resumedInexactlyAt } = work;
    return {
      outputs: { scores },
      facts: {
        ...factsOfResults(results, scorers),
        ...(reason !== undefined && { forwardKl: factsOfDivergence(results, reason) }),
        ...identityOf(job, options, { scores, decoding: { sampling: 'greedy' } }),
      },
      observations: {
        host: hostname(),
        lastAttemptMs: Math.round(performance.now() - startedAtMs),
        // A request shares the machine with the others: alone it would be answered sooner.
        ...latencyOf(work.latenciesMs),
        sideBySide: options.sequences,
        tokensPerSecond: progress.tokensPerSecond,
        weightBytes,
        peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
        claims: place.writer.fence,
        ...(unheededSettings.length > 0 && { unheededSettings }),
      },
      reproducible: resumedInexactlyAt.length === 0 && repeatsItsBits(place.runner.fingerprint),
    };
  } finally {
    await opened.close();
  }
}

async function resumed({ options, job, place, progress }: Attempt): Promise<ScoreWriter> {
  const { store, writer, runner } = place;
  progress.begin('restore');
  const fingerprint: Fingerprint = { ...runner.fingerprint, xla: job.numerics.xla };
  const { onDifferentMachine } = options;
  return ScoreWriter.resume({ store, writer, fingerprint, onDifferentMachine, onRead: progress.alive });
}

const durableOf = ({ durable }: ScoreWriter, { place: { writer } }: Attempt): Progress['durable'] =>
  durable > 0 ? { step: durable, fence: writer.fence } : undefined;

/** Before the first answer, so that two models are never in memory beside what generates. */
async function diverge(
  attempt: Attempt,
  work: ScoreWriter,
  models: Pick<DivergenceRequest, 'model' | 'teacher'>,
): Promise<Incomparable | null> {
  const { items, job, options, place, progress } = attempt;
  const request = { ...models, runner: place.runner, numerics: job.numerics, context: options.context };
  const reason = await incomparable(request);
  if (reason !== null || work.diverged === items.length) return reason;
  progress.begin('diverge');
  const tell = (): void => progress.items(work.diverged, items.length, durableOf(work, attempt));
  try {
    for await (const divergence of divergencesOf(items.slice(work.diverged), request)) {
      work.addDivergence(divergence);
      tell();
      place.stop.throwIfAborted();
    }
  } catch (error) {
    if (place.stop.aborted) await work.saveNow();
    throw error;
  }
  return null;
}

async function evaluate(
  attempt: Attempt,
  work: ScoreWriter,
  directory: string,
): Promise<Pick<ChatModel, 'unheededSettings'>> {
  const { options, job, place, items, scorers, progress } = attempt;
  const { runner, stop } = place;
  progress.begin('compile');
  await setImmediate(); // compiling does not yield
  const respondent = await openChatModel(directory, { ...options, runner, xla: job.numerics.xla });
  try {
    const tell = (): void => progress.items(work.results.length, items.length, durableOf(work, attempt));
    progress.begin('evaluate');
    tell();
    const take = async ({ result, latencyMs }: JudgedItem): Promise<void> => {
      await work.add(result, latencyMs);
      tell();
    };
    try {
      await evaluateItems({
        respondent,
        items,
        scorers,
        maximumTokens: options.maximumTokens,
        stopStrings: options.stop,
        from: work.results.length,
        take,
        onToken: progress.token,
        stop,
      });
    } catch (error) {
      if (stop.aborted) await work.saveNow();
      throw error;
    }
    return respondent;
  } finally {
    respondent.dispose();
  }
}
