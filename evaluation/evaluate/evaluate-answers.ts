/**
 * One attempt at an evaluation of answers that are recorded already: those of a teacher behind an endpoint, which was asked once. They
 * are judged as those of a model are, item by item, and leave the same kind of artifact; no number depends on the machine.
 */
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { evaluateOptionsWith } from '../../config/evaluate-options.js';
import { NightstillError } from '../../config/errors.js';
import type { JsonObject } from '../../storage/index.js';
import { factsOfResults } from './facts.js';
import { itemsOf, type Item } from './items.js';
import {
  identityOf,
  namesOf,
  type Decoding,
  type EvaluationJob,
  type EvaluationOutcome,
  type JudgingPlace,
} from './job.js';
import { judge, type Answer } from './judge.js';
import { EvaluationProgress } from './progress.js';
import { ScoreWriter } from './score-writer.js';
import { openScorers } from './scorers.js';

/** What became of a question. `cut-off`: the answer was longer than allowed. */
export interface AnswerGiven {
  readonly fate: 'answered' | 'cut-off' | 'empty' | 'refused' | 'rejected' | 'failed' | 'no-prompt';
  /** What was said; empty where nothing was. */
  readonly text: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export interface AnswersGiven {
  /** Digest of the dataset that was asked. */
  readonly prompts: string;
  readonly decoding: Required<Decoding>;
  /** By the id of the row. */
  readonly byPrompt: ReadonlyMap<string, AnswerGiven>;
}

export interface AnswersPlace extends JudgingPlace {
  readonly answers: (onRead: () => void) => Promise<AnswersGiven>;
  /** How fast they came, as the stage that asked for them has observed it. */
  readonly speed: () => Promise<JsonObject>;
}

/** @throws evaluation-invalid, dataset-empty; the codes of data, scorers and store; the reason of `stop` */
export async function evaluateAnswers(job: EvaluationJob, place: AnswersPlace): Promise<EvaluationOutcome> {
  const startedAtMs = performance.now();
  const { store, writer, stop } = place;
  const progress = new EvaluationProgress(place.progress, stop);
  progress.begin('load');
  const database = await place.database();
  const { scorers, ownVersions, close } = await openScorers(namesOf(job), { database, module: place.scorerModule });
  try {
    const options = evaluateOptionsWith(ownVersions).parse(job.with); // has passed it before
    const items = await itemsOf(place.rows(), options);
    const { prompts, decoding, byPrompt } = await place.answers(progress.alive);
    refuseOtherPrompts(prompts, job);
    progress.begin('restore');
    const resuming = {
      store,
      writer,
      fingerprint: {},
      onDifferentMachine: 'continue',
      onRead: progress.alive,
    } as const;
    const work = await ScoreWriter.resume(resuming);
    progress.begin('evaluate');
    for (const item of items.slice(work.results.length)) {
      if (stop.aborted) await work.saveNow();
      stop.throwIfAborted();
      await work.add(await judge(item, answerTo(item, byPrompt, options.stop), scorers));
      progress.items(work.results.length, items.length, durableOf(work, place));
    }
    progress.begin('seal');
    const scores = await work.finish();
    return {
      outputs: { scores },
      facts: { ...factsOfResults(work.results, scorers), ...identityOf(job, options, { scores, decoding }) },
      observations: {
        host: hostname(),
        lastAttemptMs: Math.round(performance.now() - startedAtMs),
        ...(await place.speed()),
        claims: writer.fence,
      },
      reproducible: true,
    };
  } finally {
    await close();
  }
}

const durableOf = ({ durable }: ScoreWriter, { writer }: AnswersPlace) =>
  durable > 0 ? { step: durable, fence: writer.fence } : undefined;

/** Answers to other questions may bear the same ids. */
function refuseOtherPrompts(prompts: string, { inputs: { dataset } }: EvaluationJob): void {
  if (prompts === dataset?.digest) return;
  throw new NightstillError(
    'evaluation-invalid',
    `expected answers to the evaluation set ${dataset?.digest}, found answers to ${prompts}`,
  );
}

function answerTo({ id }: Item, answers: AnswersGiven['byPrompt'], stops: readonly string[]): Answer {
  const given = answers.get(id);
  if (given === undefined)
    throw new NightstillError('evaluation-invalid', `item ${id}: expected what was answered to it, found nothing`);
  const { fate, text, promptTokens, completionTokens: generatedTokens } = given;
  const counted = { promptTokens, generatedTokens };
  // A refusal stays one, whatever its words are.
  const stopsAt = fate === 'refused' ? [] : stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return stopsAt.length > 0
    ? { text: text.slice(0, Math.min(...stopsAt)), finish: 'stop-string', ...counted }
    : { text, finish: finishOf[fate], ...counted };
}

const finishOf = {
  answered: 'stop',
  empty: 'stop',
  'cut-off': 'length',
  refused: 'refused',
  rejected: 'rejected',
  failed: 'rejected',
  'no-prompt': 'rejected',
} as const;
