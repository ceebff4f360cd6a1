/**
 * Asks one question until there is a reply, or none can come. Each call waits for its turn, has the ledger reserve the most that it may
 * cost and record that it is about to be made, is made, and has its outcome recorded. Only a whole reply of the right model is
 * an answer.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, type NightstillError } from '../../config/errors.js';
import type { AskedTeacher } from '../../config/teacher-schema.js';
import type { JsonObject } from '../../storage/index.js';
import { requestDigest, type Call, type GivenUp, type Ledger, type NewResponse } from '../responses/index.js';
import { backoffMs } from './backoff.js';
import type { Reply } from './chat-reply.js';
import { promptTokenBound } from './chat-request.js';
import type { TeacherClient, WholeReply } from './client.js';
import { FailedCall } from './failed-call.js';
import type { Pace } from './pace.js';
import { costOf, type Tokens } from './prices.js';
import { recorded, type Recorded } from './recorded-reply.js';
import { Tries } from './tries.js';
import type { Served } from './wire.js';

export interface AskingMeans<Said extends Served = Reply> {
  readonly teacher: AskedTeacher;
  readonly client: TeacherClient<Said>;
  readonly pace: Pace;
  readonly ledger: Ledger;
  /** Of an answer. */
  readonly maximumTokens: number;
  /** Told of every call that is made. */
  readonly onCall?: () => void;
  /** Told of every call that brought no reply. */
  readonly onFailedCall?: (call: FailedCall) => void;
  /** Absent: an endpoint that cannot answer one request is taken to answer none. */
  readonly givenUp?: GivenUpRequests;
  /** No call begins after it. */
  readonly stop: AbortSignal;
  /** Calls under way end with it. */
  readonly cut: AbortSignal;
}

export interface Question {
  readonly key: string;
  readonly body: JsonObject;
  /** More than the tokens of the prompt. Default: counted from the messages of the body. */
  readonly promptTokens?: number;
}

/** `rejected`: the endpoint refuses this request. `failed`: it brings no whole answer to this one, though it does to others. */
export type Unanswered = 'rejected' | 'failed';

/** So many one after another, and no answer between them, are no longer the fault of the requests. */
const mostInARow = 5;

/** Requests that are given up alone, while the endpoint answers others. */
export class GivenUpRequests {
  /** Of the last of them. */
  failure: NightstillError | undefined;
  #inARow = 0;

  answered(): void {
    this.#inARow = 0;
  }

  /** @throws its failure where the endpoint seems to answer nobody any more */
  add(failure: NightstillError): void {
    this.failure = failure;
    if ((this.#inARow += 1) >= mostInARow) throw failure;
  }
}

/** @throws the code of the last attempt, where it may be the fault of the endpoint */
export async function ask<Said extends Served>(
  means: AskingMeans<Said>,
  question: Question,
): Promise<Recorded<Said> | Unanswered> {
  const { givenUp, pace, stop, teacher } = means;
  const promptTokens = question.promptTokens ?? promptTokenBound(question.body);
  const bound = { promptTokens, completionTokens: means.maximumTokens };
  const tries = new Tries(teacher.limits.attempts);
  for (let attempt = 1; ; attempt += 1) {
    await turnOf(pace, bound.promptTokens + bound.completionTokens, stop);
    try {
      return await callOnce(means, question, bound);
    } catch (error) {
      if (!(error instanceof FailedCall)) throw error;
      means.onFailedCall?.(error);
      if (error.rejected) return 'rejected';
      if (tries.spent(error)) {
        if (!givenUp || !error.maybeOfRequest) throw error.failure;
        givenUp.add(error.failure);
        return 'failed';
      }
      if (error.waitMs !== undefined) pace.close(error.waitMs);
      await pause(backoffMs(attempt, error.waitMs), stop);
    }
  }
}

async function callOnce<Said extends Served>(
  means: AskingMeans<Said>,
  { key, body }: Question,
  bound: Tokens,
): Promise<Recorded<Said>> {
  const { client, ledger, stop, teacher } = means;
  const intent = await ledger.intend({ key, atMost: costOf(teacher.prices, bound) });
  if ('recorded' in intent) return recorded(client.wire, intent.recorded);
  const { call } = intent;
  // Asking may have been stopped while the ledger waited for money.
  if (stop.aborted) ledger.giveUp(call, { reason: 'stopped', maybePaid: false });
  stop.throwIfAborted();
  try {
    return await makeCall(means, { key, body }, call, bound);
  } catch (error) {
    // Whatever went wrong, the call ends in the ledger: otherwise it would hold its money for ever, and whoever waits for that.
    ledger.giveUp(call, endOf(error));
    throw error;
  }
}

async function makeCall<Said extends Served>(
  { client, pace, ledger, cut, teacher, onCall, givenUp }: AskingMeans<Said>,
  { key, body }: Question,
  call: Call,
  bound: Tokens,
): Promise<Recorded<Said>> {
  const startedAtMs = performance.now();
  onCall?.();
  const whole = await client.ask(body, key, cut);
  givenUp?.answered();
  const used = whole.reply.usage ?? bound;
  pace.giveBackTokens(bound.promptTokens + bound.completionTokens - used.promptTokens - used.completionTokens);
  const latencyMs = Math.round(performance.now() - startedAtMs);
  return recorded(client.wire, await ledger.record(call, responseOf(teacher, body, whole, { used, latencyMs })));
}

/** After any error but a FailedCall, the call was cut off or could not be recorded: it may have been paid for. */
const endOf = (error: unknown): GivenUp =>
  error instanceof FailedCall
    ? { reason: error.failure.code, maybePaid: error.maybePaid }
    : { reason: hasCode(error) ? error.code : 'interrupted', maybePaid: true };

function responseOf(
  { endpoint, model, revision, prices }: AskedTeacher,
  request: JsonObject,
  { body, reply, providerId }: WholeReply<Served>,
  { used, latencyMs }: { readonly used: Tokens; readonly latencyMs: number },
): NewResponse {
  const cost = costOf(prices, used);
  return {
    content: {
      requestDigest: requestDigest(request),
      endpoint,
      model,
      revision,
      servedModel: reply.servedModel,
      servedFingerprint: reply.fingerprint ?? null,
      body,
      finishReason: reply.finishReason,
      usage: reply.usage ?? null,
    },
    // Tokens that the endpoint does not count are paid for at their upper bound.
    price: prices && cost !== undefined ? { nanoUsd: cost, prices: prices.asOf } : undefined,
    observations: { latencyMs, providerId, recordedAt: new Date().toISOString() },
  };
}

/** Until its turn has come, and nobody is asked to wait any more. */
async function turnOf(pace: Pace, tokens: number, stop: AbortSignal): Promise<void> {
  stop.throwIfAborted();
  for (let waitMs = Math.max(pace.take(tokens), pace.closedForMs); waitMs > 0; waitMs = pace.closedForMs)
    await pause(waitMs, stop);
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => undefined);
  stop.throwIfAborted();
}
