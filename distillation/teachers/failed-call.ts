/**
 * What a call that brought no answer means: a code, how often the same call is worth trying, and for how long the endpoint asks to
 * be left alone. Text of the endpoint is never repeated, since it may hold the prompt or the key: only short codes are.
 */
import OpenAI from 'openai';
import { hasCode, NightstillError } from '../../config/errors.js';

export class FailedCall extends Error {
  constructor(
    readonly failure: NightstillError,
    /** How often this very call is worth trying. */
    readonly tries: number,
    /** The endpoint may have worked, and be paid for it. */
    readonly maybePaid: boolean,
    /** Before that no call is to be made. */
    readonly waitMs?: number | undefined,
  ) {
    super(failure.message, { cause: failure });
  }

  /** What came in place of a reply, in a word or two: `status 400 (context_length_exceeded)`, `text/html`, `ECONNRESET`. */
  get found(): string {
    return this.failure.message.replace(/^.* found /s, '').replace(/^\d+ characters of /, '');
  }

  /** The endpoint refuses this request, and would refuse it again; others it may take. */
  get rejected(): boolean {
    return this.failure.code === 'teacher-request-rejected';
  }
}

/** A proxy may talk nonsense now and then; one that does so three times is no teacher. */
const triesOfNonsense = 3;

export function failedCall(error: unknown): FailedCall {
  if (error instanceof FailedCall) return error;
  if (isStatusError(error)) return refusedCall(error);
  if (hasCode(error, 'teacher-model-mismatch')) return new FailedCall(error, 1, true);
  if (hasCode(error, 'teacher-reply-invalid')) return new FailedCall(error, triesOfNonsense, true);
  if (hasCode(error)) return new FailedCall(error, error.retryable ? Infinity : 1, true);
  // Connections that fail, break or end too early; a redirect, too, that is not followed.
  const found = causeOf(error);
  const message = `expected a whole reply, found ${found ?? 'a connection that failed'}`;
  const failure = new NightstillError('teacher-unavailable', message, { cause: error });
  return new FailedCall(failure, Infinity, found === undefined || !neverReached.includes(found));
}

interface StatusError {
  readonly status: number;
  readonly headers: Headers | undefined;
  readonly code?: string | null | undefined;
  readonly param?: string | null | undefined;
  readonly type?: string | undefined;
  readonly message: string;
}

/** Connections that fail are errors of the API without a status. */
const isStatusError = (error: unknown): error is StatusError =>
  error instanceof OpenAI.APIError && typeof error.status === 'number';

/** No key, no credit, no right. */
const statusesOfKeys: readonly number[] = [401, 402, 403];
/** What the request itself is refused for: malformed, too large, not to be processed. */
const statusesOfRequests: readonly number[] = [400, 413, 422];

/** By which hosted endpoints say that no request may ask so: all others would be refused as well. */
const codesOfOptions: readonly string[] = ['unsupported_parameter', 'unsupported_value'];

const incapable = ({ status, param }: StatusError, said: string): NightstillError => {
  const option = typeof param === 'string' && /^[a-z_]{1,40}$/.test(param) ? param : 'what the plan asks for';
  const message = `expected an endpoint that takes ${option} as the plan asks, found status ${status} (${said})`;
  return new NightstillError('teacher-incapable', message, { details: { status, option } });
};

function refusedCall(error: StatusError): FailedCall {
  const { status } = error;
  const said = saidCode(error);
  const fail = (code: ConstructorParameters<typeof NightstillError>[0]): NightstillError =>
    new NightstillError(code, `expected an answer, found status ${status}${said && ` (${said})`}`, {
      details: { status },
    });
  if (statusesOfKeys.includes(status) || said === 'insufficient_quota')
    return new FailedCall(fail('teacher-refused-key'), 1, false);
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500)
    return new FailedCall(fail('teacher-unavailable'), Infinity, status >= 500, retryAfterMs(error.headers));
  const refusal = statusesOfRequests.includes(status) ? rejectionOf(error) : 'teacher-request-rejected';
  if (refusal !== 'teacher-request-rejected') return new FailedCall(fail(refusal), 1, false);
  if (codesOfOptions.includes(said)) return new FailedCall(incapable(error, said), 1, false);
  if (statusesOfRequests.includes(status)) return new FailedCall(fail('teacher-request-rejected'), 1, false);
  // Any other refusal is not of this request alone: an endpoint that is gone, or of another kind.
  if (status >= 400) return new FailedCall(fail('teacher-missing'), 1, false);
  return new FailedCall(fail('teacher-reply-invalid'), triesOfNonsense, true);
}

/** Many servers give 20 log-probabilities at most, others none: their words are read for that, and not repeated. */
function rejectionOf({ message, param }: StatusError) {
  if (!/logprob|echo/i.test(`${param ?? ''} ${message}`)) return 'teacher-request-rejected';
  const isTooMany = /at most|max|greater|less than|exceed|limit|between|\b[<≤]=?/i.test(message);
  return isTooMany ? 'teacher-logprobs-capped' : 'teacher-logprobs-missing';
}

/** Longer than this nobody waits in one attempt. */
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

const neverReached: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'];

function causeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && typeof cause.code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(cause.code)) return cause.code;
  return undefined;
}
