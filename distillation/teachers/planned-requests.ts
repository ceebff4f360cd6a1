/** Every request that a dataset of prompts comes to, in its order, with what is recorded of it. The ledger is asked for many at once. */
import type { AnswerOptions } from '../../config/answer-options.js';
import type { AskedTeacher } from '../../config/teacher-schema.js';
import type { ArtifactRef, ObjectStore } from '../../storage/index.js';
import { requestKey, type Ledger } from '../responses/index.js';
import { standingAnswers } from './answer-age.js';
import type { Question } from './ask.js';
import { chatRequest } from './chat-request.js';
import { readPrompts, type PromptRow } from './prompt-rows.js';
import { recordedReply, type RecordedReply } from './recorded-reply.js';

export interface PlannedRequest {
  readonly row: PromptRow;
  readonly sample: number;
  /** Absent where the row holds nothing to answer. */
  readonly question?: Question | undefined;
  /** What was recorded when the ledger was asked. */
  readonly recorded?: RecordedReply | undefined;
}

export interface Prompts {
  readonly store: ObjectStore;
  readonly dataset: ArtifactRef;
  readonly options: AnswerOptions;
  readonly teacher: AskedTeacher;
  /** What its canaries say that it is now; absent or null: what its revision says. */
  readonly drift?: string | null;
  readonly ledger: Ledger;
}

const lookedUpAtOnce = 256;

/** The samples of a prompt come beside each other. */
export async function* plannedRequests(prompts: Prompts): AsyncGenerator<PlannedRequest> {
  let batch: PlannedRequest[] = [];
  for await (const row of readPrompts(prompts.store, prompts.dataset))
    for (let sample = 0; sample < prompts.options.samples; sample += 1) {
      batch.push({ row, sample, question: questionOf(row, sample, prompts) });
      if (batch.length < lookedUpAtOnce) continue;
      yield* lookUp(prompts, batch);
      batch = [];
    }
  yield* lookUp(prompts, batch);
}

function questionOf(row: PromptRow, sample: number, { options, teacher, drift = null }: Prompts): Question | undefined {
  if (row.messages.length === 0) return undefined;
  const { endpoint, model, revision, tokenLimitField, omittedFields } = teacher;
  const body = chatRequest(row, { ...options, model, tokenLimitField, omittedFields }, sample);
  return { key: requestKey({ endpoint, model, revision, body, sample, drift }), body };
}

async function* lookUp(prompts: Prompts, batch: readonly PlannedRequest[]): AsyncGenerator<PlannedRequest> {
  const { ledger, options } = prompts;
  const keys = batch.flatMap(({ question }) => (question ? [question.key] : []));
  const standing = await standingAnswers(ledger, keys, options.answersSince);
  for (const planned of batch) {
    const found = planned.question && standing.get(planned.question.key);
    if (!planned.question || !found) {
      yield planned;
      continue;
    }
    const { key, response } = found;
    const question = { ...planned.question, key };
    yield { ...planned, question, ...(response && { recorded: recordedReply(response) }) };
  }
}
