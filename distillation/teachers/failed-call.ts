/**
 * What a call that brought no answer means: a code, how often the same call is worth trying, and for how long the endpoint asks to
 * be left alone. Text of the endpoint is never repeated, since it may hold the prompt or the key: only short codes are.
 */
import OpenAI from 'openai';
import { hasCode, NightstillError } from '../../config/errors.js';
import type { FailureCode } from '../../config/failures.js';
import { refusedField, refusedScores, type StatusError } from './refusal.js';

export class FailedCall extends Error {
  constructor(
    readonly failure: NightstillError,
    /** How often this very call is worth trying. */
    readonly tries: number,
    /** The endpoint may have worked, and be paid for it. */
    readonly maybePaid: boolean,
    /** For how long the endpoint asks to be left alone. */
    readonly waitMs?: number | undefined,
  ) {
    super(failure.message, { cause: failure });
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
}

/** A proxy may answer with something else now and then; after three times it is taken to do so always. */
const triesOfNonsense = 3;

/** @param asksForScores of a request for log-probabilities of a prompt, which many endpoints do not give */
export function failedCall(error: unknown, asksForScores = false): FailedCall {
  if (error instanceof FailedCall) return error;
  if (isStatusError(error)) return refusedCall(error, asksForScores);
  if (hasCode(error, 'teacher-model-mismatch')) return new FailedCall(error, 1, true);
  if (hasCode(error, 'teacher-reply-invalid')) return new FailedCall(error, triesOfNonsense, true);
  if (hasCode(error)) return new FailedCall(error, error.retryable ? Infinity : 1, true);
  // Connections that fail, break or end too early; a redirect, too, that is not followed.
  const found = causeOf(error);
  const message = `expected a whole reply, found ${found ?? 'a connection that failed'}`;
  const failure = new NightstillError('teacher-unavailable', message, { cause: error });
  return new FailedCall(failure, Infinity, found === undefined || !causesOfNobody.includes(found));
}

/** Connections that fail are errors of the API without a status. */
const isStatusError = (error: unknown): error is StatusError =>
  error instanceof OpenAI.APIError && typeof error.status === 'number';

/** No key, no credit, no right. */
const statusesOfKeys: readonly number[] = [401, 402, 403];
/** What the request itself is refused for: malformed, too large, not to be processed. */
const statusesOfRequests: readonly number[] = [400, 413, 422];

function refusedCall(error: StatusError, asksForScores: boolean): FailedCall {
  const { status } = error;
  const said = saidCode(error);
  const found = `found status ${status}${said && ` (${said})`}`;
  const fail = (code: FailureCode, expected = 'an answer'): NightstillError =>
    new NightstillError(code, `expected ${expected}, ${found}`, { details: { status } });
  if (statusesOfKeys.includes(status) || said === 'insufficient_quota')
    return new FailedCall(fail('teacher-refused-key'), 1, false);
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500)
    return new FailedCall(fail('teacher-unavailable'), Infinity, status >= 500, retryAfterMs(error.headers));
  if (statusesOfRequests.includes(status)) {
    const scores = asksForScores ? refusedScores(error) : undefined;
    if (scores) return new FailedCall(fail(`teacher-logprobs-${scores}`), 1, false);
    const field = refusedField(error);
    if (field)
      return new FailedCall(fail('teacher-incapable', `an endpoint that takes ${field} as the plan asks`), 1, false);
    return new FailedCall(fail('teacher-request-rejected'), 1, false);
  }
  // Any other refusal would meet every request: the endpoint is gone, or is of another kind.
  if (status >= 400) return new FailedCall(fail('teacher-missing'), 1, false);
  return new FailedCall(fail('teacher-reply-invalid'), triesOfNonsense, true);
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

/** `model_not_found`: a code is an identifier, and no place for a key. */
const saidCode = ({ code, type }: StatusError): string =>
  [code, type].find((text) => typeof text === 'string' && /^[a-z_]{1,40}$/.test(text)) ?? '';

const causesOfNobody: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'];

function causeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && typeof cause.code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(cause.code)) return cause.code;
  return undefined;
}
