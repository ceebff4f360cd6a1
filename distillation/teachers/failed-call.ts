/**
 * What a call that brought no answer means: a code, how often the same call is worth trying, and for how long the endpoint asks to
 * be left alone. Text of the endpoint is never repeated, since it may hold the prompt or the key: only short codes are.
 */
import OpenAI from 'openai';
import { hasCode, NightstillError } from '../../config/errors.js';
import type { FailureCode } from '../../config/failures.js';
import { formatDuration } from '../../config/format-duration.js';
import { isJsonObject, type Json } from '../../storage/index.js';
import { replyInvalid } from './chat-reply.js';
import { isModerated, refusedField, refusedScores, type StatusError } from './refusal.js';

export interface CallEnd {
  /** How often a call that ends like this is worth trying. */
  readonly tries: number;
  /** The endpoint may have worked, and be paid for it. */
  readonly maybePaid: boolean;
  /** It takes no request now, whatever its words are: nobody is there, or too many ask. */
  readonly isAway?: boolean;
  /** For how long the endpoint asks to be left alone. */
  readonly waitMs?: number | undefined;
}

export class FailedCall extends Error {
  readonly tries: number;
  readonly maybePaid: boolean;
  readonly isAway: boolean;
  readonly waitMs: number | undefined;

  constructor(
    readonly failure: NightstillError,
    { tries, maybePaid, isAway = false, waitMs }: CallEnd,
  ) {
    super(failure.message, { cause: failure });
    this.tries = tries;
    this.maybePaid = maybePaid;
    this.isAway = isAway;
    this.waitMs = waitMs;
  }

  /** What came in place of a reply, in a word or two: `status 400 (context_length_exceeded)`, `text/html`, `ECONNRESET`. */
  get found(): string {
    return this.failure.message.replace(/^.* found /s, '').replace(/^\d+ characters of /, '');
  }

  /** Nobody is there to take any request. */
  get neverReached(): boolean {
    return this.failure.code === 'teacher-unavailable' && causesOfNobody.includes(causeOf(this.failure) ?? '');
  }

  /** The endpoint refuses this request, and would refuse it again; others it may take. */
  get rejected(): boolean {
    return this.failure.code === 'teacher-request-rejected';
  }

  /** It may be this request that the endpoint cannot answer, and only this one. */
  get maybeOfRequest(): boolean {
    return hasCode(this.failure, 'teacher-unavailable', 'teacher-reply-invalid') && !this.isAway;
  }
}

/** A proxy may answer with something else now and then; after three times it is taken to do so always. */
const triesOfNonsense = 3;
/** What takes too long once takes too long again, and each time may be paid for. */
const triesOfSilence = 2;

/** @param asksForScores of a request for log-probabilities of a prompt, which many endpoints do not give */
export function failedCall(error: unknown, asksForScores = false): FailedCall {
  if (error instanceof FailedCall) return error;
  if (isStatusError(error)) return refusedCall(error, asksForScores);
  if (hasCode(error, 'teacher-model-mismatch')) return new FailedCall(error, { tries: 1, maybePaid: true });
  if (hasCode(error, 'teacher-reply-invalid'))
    return new FailedCall(error, { tries: triesOfNonsense, maybePaid: true });
  if (hasCode(error)) return new FailedCall(error, { tries: error.retryable ? Infinity : 1, maybePaid: true });
  // Connections that fail, break or end too early; a redirect, too, that is not followed.
  const found = causeOf(error);
  const message = `expected a whole reply, found ${found ?? 'a connection that failed'}`;
  const failure = new NightstillError('teacher-unavailable', message, { cause: error });
  const isAway = found !== undefined && causesOfNobody.includes(found);
  return new FailedCall(failure, { tries: Infinity, maybePaid: !isAway, isAway });
}

/** Silence for as long as the plan allows. */
export const silentCall = (timeoutMs: number): FailedCall =>
  new FailedCall(
    new NightstillError(
      'teacher-unavailable',
      `expected a reply within ${formatDuration(timeoutMs)} (limits.timeout of the teacher), found silence`,
    ),
    { tries: triesOfSilence, maybePaid: true },
  );

/**
 * Gateways say errors of what is behind them with status 200: `{ error: { code: 429 } }` (OpenRouter). By such a number it means what
 * the status would.
 */
export function refusedInBody(body: Json, asksForScores: boolean): FailedCall | undefined {
  const said = isJsonObject(body) && body['error'];
  if (!said || !isJsonObject(said)) return undefined;
  const { code } = said;
  if (typeof code === 'number' && code >= 400 && code < 600)
    return refusedCall(new OpenAI.APIError(code, said, undefined, undefined), asksForScores);
  return failedCall(replyInvalid('an answer', `an error in its place${inBrackets(saidCode(said))}`));
}

/** Connections that fail are errors of the API without a status. */
const isStatusError = (error: unknown): error is StatusError =>
  error instanceof OpenAI.APIError && typeof error.status === 'number';

/** No key, no credit, no right. */
const statusesOfKeys: readonly number[] = [401, 402, 403];
/** Too many requests, no capacity, overloaded (Anthropic's 529). */
const statusesOfTheAway: readonly number[] = [429, 503, 529];
/** `nightstill serve` without a log of what it has answered. */
const keyedRequestsRefused = 'idempotency_unavailable';
const onceForNothing: CallEnd = { tries: 1, maybePaid: false };
/** What the request itself is refused for: malformed, too large, not to be processed. */
const statusesOfRequests: readonly number[] = [400, 413, 422];

function refusedCall(error: StatusError, asksForScores: boolean): FailedCall {
  const { status } = error;
  const isAway = statusesOfTheAway.includes(status);
  const said = saidCode(error);
  const found = `found status ${status}${inBrackets(said)}`;
  const fail = (code: FailureCode, expected = 'an answer'): NightstillError =>
    new NightstillError(code, `expected ${expected}, ${found}`, { details: { status } });
  if (isModerated(error)) return new FailedCall(fail('teacher-request-rejected'), onceForNothing);
  if (statusesOfKeys.includes(status) || said === 'insufficient_quota')
    return new FailedCall(fail('teacher-refused-key'), onceForNothing);
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500)
    return new FailedCall(fail('teacher-unavailable'), {
      tries: Infinity,
      maybePaid: status >= 500 && !isAway,
      isAway,
      waitMs: retryAfterMs(error.headers),
    });
  if (said === keyedRequestsRefused)
    return new FailedCall(fail('teacher-incapable', 'an endpoint that takes an Idempotency-Key'), onceForNothing);
  if (statusesOfRequests.includes(status)) {
    const scores = asksForScores ? refusedScores(error) : undefined;
    if (scores) return new FailedCall(fail(`teacher-logprobs-${scores}`), onceForNothing);
    const field = refusedField(error);
    if (field)
      return new FailedCall(
        fail('teacher-incapable', `an endpoint that takes ${field} as the plan asks`),
        onceForNothing,
      );
    return new FailedCall(fail('teacher-request-rejected'), onceForNothing);
  }
  // Any other refusal would meet every request: the endpoint is gone, or is of another kind.
  if (status >= 400) return new FailedCall(fail('teacher-missing'), onceForNothing);
  return new FailedCall(fail('teacher-reply-invalid'), { tries: triesOfNonsense, maybePaid: true });
}

/** The longest wait within one attempt. */
const longestWaitMs = 600_000;

/** Seconds or a date, as RFC 9110 §10.2.3 has it; OpenAI also gives milliseconds. */
export function retryAfterMs(headers: Headers | undefined, nowMs = Date.now()): number | undefined {
  const milliseconds = Number(headers?.get('retry-after-ms') ?? NaN);
  if (milliseconds >= 0) return Math.min(milliseconds, longestWaitMs);
  const text = headers?.get('retry-after')?.trim();
  if (!text) return undefined;
  const waitMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), longestWaitMs);
}

const inBrackets = (said: string): string => said && ` (${said})`;

/** `model_not_found`: a code is an identifier, and no place for a key. */
function saidCode({ code, type }: { readonly code?: unknown; readonly type?: unknown }): string {
  for (const text of [code, type]) if (typeof text === 'string' && /^[a-z_]{1,40}$/.test(text)) return text;
  return '';
}

const causesOfNobody: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'];

function causeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && typeof cause.code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(cause.code)) return cause.code;
  return undefined;
}
