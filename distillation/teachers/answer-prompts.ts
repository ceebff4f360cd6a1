/**
 * A dataset of prompts becomes a dataset of answers. First every request without a recorded response is asked, a given number at
 * a time; what was recorded, by whatever attempt, run or plan, is never asked again. Then the dataset is put together from the record alone, in
 * the order of the prompts. No request is dropped in silence: each has a fate, and too many without an answer fail the stage.
 */
import type { AnswerOptions } from '../../config/answer-options.js';
import type { ProgressFacts } from '../../config/child-protocol.js';
import { isGreedy, type AskedTeacher } from '../../config/teacher-schema.js';
import type { ArtifactRef, JsonObject, ObjectStore, StageWriter } from '../../storage/index.js';
import type { Ledger } from '../responses/index.js';
import { AnswerDataset, type Fate } from './answer-dataset.js';
import { ask, GivenUpRequests, type AskingMeans, type Unanswered } from './ask.js';
import { Asked } from './asked.js';
import type { TeacherClient } from './client.js';
import type { FailedCall } from './failed-call.js';
import { inLanes } from './lanes.js';
import { Latencies } from './latencies.js';
import { Pace } from './pace.js';
import { readPrompts } from './prompt-rows.js';
import { plannedRequests, type PlannedRequest } from './planned-requests.js';
import type { RecordedReply } from './recorded-reply.js';
import { stopping } from './stopping.js';
import { Tally, type TallyProgress, type TallySummary } from './tally.js';

export interface AnswerRequest {
  readonly store: ObjectStore;
  readonly writer: StageWriter;
  readonly dataset: ArtifactRef;
  readonly options: AnswerOptions;
  readonly teacher: AskedTeacher;
  /** What its canaries say that it is now; absent or null: what its revision says. */
  readonly drift?: string | null;
  readonly client: TeacherClient;
  readonly ledger: Ledger;
  /** Aborted: no more calls begin, those under way have some time to end, then its reason is thrown. */
  readonly signal: AbortSignal;
  /** Default: some seconds, in which replies that are paid for can arrive. */
  readonly graceMs?: number;
  /** Waited for once, before the first call; never where all is recorded. */
  readonly beforeCalls?: ((means: Pick<AskingMeans, 'pace' | 'ledger' | 'stop' | 'cut'>) => Promise<void>) | undefined;
  /** Called for all that is done, with its count in that phase. */
  readonly onProgress: (phase: AnsweringPhase, facts: ProgressFacts) => void;
}

/** Requests are asked; then what is recorded is brought into few objects; then the dataset is put together. */
export type AnsweringPhase = 'ask' | 'compact' | 'assemble';

export interface AnsweredPrompts {
  readonly dataset: ArtifactRef;
  readonly answers: ArtifactRef;
  readonly summary: TallySummary;
  /** How fast the answers came when they were recorded, whatever attempt or run that was. */
  readonly speed: JsonObject;
}

/**
 * @throws answer-yield-too-low, budget-exhausted, teacher-refused-key, teacher-missing, teacher-unavailable, teacher-reply-invalid,
 *   teacher-model-mismatch, and the reason of `signal`
 */
export async function answerPrompts(request: AnswerRequest): Promise<AnsweredPrompts> {
  const total = await countRequests(request);
  const unanswered = await askAll(request, total);
  // All responses are read once more below, then from a few objects.
  request.onProgress('compact', {});
  await request.ledger.compact((moved) => request.onProgress('compact', { ...moved, unit: 'responses' }));
  return assemble(request, total, unanswered);
}

type UnansweredKeys = ReadonlyMap<string, Unanswered>;

/** Until every request has a fate. @returns those without a reply, by the keys of their questions */
async function askAll(request: AnswerRequest, total: number): Promise<UnansweredKeys> {
  const { options, teacher, client, ledger, signal, beforeCalls, onProgress } = request;
  const tally = new Tally(total, { ...options, prices: teacher.prices });
  const givenUp = new GivenUpRequests();
  const { stop, cut, end } = stopping(signal, request.graceMs);
  const means = {
    teacher,
    client,
    ledger,
    pace: new Pace(teacher.limits),
    maximumTokens: options.maximumTokens,
    onFailedCall: ({ found }: FailedCall) => tally.failed(found),
    givenUp,
    stop: stop.signal,
    cut,
  };
  let ready: Promise<void> | undefined;
  const asked = new Asked(async (question) => {
    await (ready ??= beforeCalls?.(means));
    return ask(means, question);
  });
  const work = async (planned: PlannedRequest): Promise<void> => {
    const { recorded, question } = planned;
    const answer = recorded ?? (question ? await asked.replyTo(question) : 'no-prompt');
    // Whether it is the request's fault shows at the end.
    if (answer === 'failed') return;
    tally.add(fateOf(answer), heardOf(planned, answer));
    tally.confirmYield();
    onProgress('ask', factsOf(tally.progress));
  };
  try {
    await inLanes(teacher.limits.parallel, plannedRequests(request), { stop, work });
  } finally {
    end();
  }
  confirmGivenUp(tally, total, givenUp);
  return asked.unanswered;
}

/**
 * Requests may be given up where others have their answers, whenever these came. Where too few have, asking them again is worth more
 * than an end of the stage.
 * @throws the failure of one
 */
function confirmGivenUp(tally: Tally, total: number, { failure }: GivenUpRequests): void {
  if (failure === undefined) return;
  while (tally.progress.done < total) tally.add('failed');
  try {
    tally.confirmYield();
  } catch {
    throw failure;
  }
}

/** From the record alone: nothing depends on what was asked when. */
async function assemble(request: AnswerRequest, total: number, unanswered: UnansweredKeys): Promise<AnsweredPrompts> {
  const { writer, options, teacher, signal, onProgress } = request;
  const tally = new Tally(total, { ...options, prices: teacher.prices });
  const latencies = new Latencies();
  const answers = new AnswerDataset({
    writer,
    options,
    revision: teacher.revision,
    greedy: isGreedy(teacher) && options.temperature === 0,
    prompts: request.dataset.digest,
  });
  for await (const planned of plannedRequests(request)) {
    signal.throwIfAborted();
    const { row, sample, question, recorded } = planned;
    // One that has no answer now may have been answered in another run: what this attempt saw counts.
    const answer = question ? (unanswered.get(question.key) ?? recorded ?? 'rejected') : 'no-prompt';
    const heard = heardOf(planned, answer);
    tally.add(fateOf(answer), heard);
    if (heard?.reply.timing) latencies.add(heard.reply, heard.reply.timing);
    await answers.add({ row, sample, key: question?.key, fate: fateOf(answer), reply: heard?.reply });
    onProgress('assemble', factsOf(tally.progress));
  }
  tally.confirmYield();
  return { ...(await answers.finish()), summary: tally.summary, speed: latencies.observed };
}

const factsOf = ({ done, of, spentUsd }: TallyProgress): ProgressFacts => ({
  done,
  of,
  unit: 'requests',
  ...(spentUsd !== undefined && { spentUsd }),
});

type Answer = RecordedReply | Unanswered | 'no-prompt';

const fateOf = (answer: Answer): Fate => (typeof answer === 'string' ? answer : answer.outcome);

const heardOf = ({ question }: PlannedRequest, answer: Answer) =>
  question && typeof answer !== 'string' ? { key: question.key, reply: answer } : undefined;

async function countRequests({ store, dataset, options }: AnswerRequest): Promise<number> {
  let rows = dataset.rows ?? 0;
  if (dataset.rows === undefined) for await (const _ of readPrompts(store, dataset)) rows += 1;
  return rows * options.samples;
}
