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
import { ask, type AskingMeans } from './ask.js';
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
  const rejected = await askAll(request, total);
  // All responses are read once more below, then from a few objects.
  request.onProgress('compact', {});
  await request.ledger.compact((moved) => request.onProgress('compact', { ...moved, unit: 'responses' }));
  return assemble(request, total, rejected);
}

/** Until every request has a fate. @returns the keys of those that the endpoint refuses */
async function askAll(request: AnswerRequest, total: number): Promise<ReadonlySet<string>> {
  const { options, teacher, client, ledger, signal, beforeCalls, onProgress } = request;
  const tally = new Tally(total, { ...options, prices: teacher.prices });
  const { stop, cut, end } = stopping(signal, request.graceMs);
  const means = {
    teacher,
    client,
    ledger,
    pace: new Pace(teacher.limits),
    maximumTokens: options.maximumTokens,
    onFailedCall: ({ found }: FailedCall) => tally.failed(found),
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
    const reply = recorded ?? (question && (await asked.replyTo(question)));
    tally.add(fateOf(planned, reply), question && reply && { key: question.key, reply });
    tally.confirmYield();
    onProgress('ask', factsOf(tally.progress));
  };
  try {
    await inLanes(teacher.limits.parallel, plannedRequests(request), { stop, work });
  } finally {
    end();
  }
  return asked.rejected;
}

/** From the record alone: nothing depends on what was asked when. */
async function assemble(
  request: AnswerRequest,
  total: number,
  rejected: ReadonlySet<string>,
): Promise<AnsweredPrompts> {
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
    // One that was refused now may have been answered in another run: what this attempt saw counts.
    const reply = question && rejected.has(question.key) ? undefined : recorded;
    const fate = fateOf(planned, reply);
    tally.add(fate, question && reply && { key: question.key, reply });
    if (reply?.timing) latencies.add(reply, reply.timing);
    await answers.add({ row, sample, key: question?.key, fate, reply });
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

const fateOf = ({ question }: PlannedRequest, reply: RecordedReply | undefined): Fate =>
  reply?.outcome ?? (question ? 'rejected' : 'no-prompt');

async function countRequests({ store, dataset, options }: AnswerRequest): Promise<number> {
  let rows = dataset.rows ?? 0;
  if (dataset.rows === undefined) for await (const _ of readPrompts(store, dataset)) rows += 1;
  return rows * options.samples;
}
