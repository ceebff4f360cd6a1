/**
 * One request to an endpoint, over the client of OpenAI: sent once, and read to its end within the time limit. Trying again is the
 * caller's, who records every attempt. The client takes nothing from the environment: neither keys nor headers that are meant for
 * somebody else.
 */
import OpenAI from 'openai';
import { hasCode } from '../../config/errors.js';
import type { TeacherEndpoint } from '../../config/teacher-schema.js';
import { parseJson, type Json, type JsonObject } from '../../storage/index.js';
import { replyInvalid } from './chat-reply.js';
import { failedCall, refusedInBody, silentCall } from './failed-call.js';
import { scoringPath, type Wire } from './wire.js';

/** What lies there: `/chat/completions` under the URL of the endpoint, `a chat completion`. */
type Place = Pick<Wire<never>, 'path' | 'what'>;

/** Both throw FailedCall, or the reason of the signal, which ends the call. */
export interface TeacherConnection {
  get(place: Place, signal: AbortSignal): Promise<Json>;
  /** @param key names the request wherever it is asked again: its Idempotency-Key */
  post(place: Place, body: JsonObject, key: string, signal: AbortSignal): Promise<Json>;
}

/** Far beyond any answer of text. */
const maximumReplyBytes = 16 * 1024 * 1024;

/** Nothing else is sent. */
const sentHeaders: readonly string[] = ['accept', 'authorization', 'content-type', 'idempotency-key', 'user-agent'];

export function openConnection(
  { endpoint, limits: { timeout } }: Pick<TeacherEndpoint, 'endpoint' | 'limits'>,
  apiKey: string | undefined,
): TeacherConnection {
  const client = new Client({
    baseURL: endpoint,
    apiKey: apiKey ?? 'none',
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: 'off',
    ...(apiKey === undefined && { defaultHeaders: { Authorization: null } }),
    fetch: fetchOnce,
  });
  async function call(
    { path, what }: Place,
    send: (limits: { readonly signal: AbortSignal; readonly timeout: number }) => Promise<Response>,
    signal: AbortSignal,
  ): Promise<Json> {
    const late = AbortSignal.timeout(timeout);
    try {
      const response = await send({ signal: AbortSignal.any([signal, late]), timeout });
      const body = parseBody(await response.text(), response.headers.get('content-type'), what);
      const refused = refusedInBody(body, path === scoringPath);
      if (refused) throw refused;
      return body;
    } catch (error) {
      signal.throwIfAborted();
      throw late.aborted ? silentCall(timeout) : failedCall(error, path === scoringPath);
    }
  }
  return {
    get: (place, signal) => call(place, (limits) => client.get(place.path, limits).asResponse(), signal),
    post: (place, body, key, signal) =>
      call(
        place,
        (limits) => client.post(place.path, { ...limits, headers: { 'Idempotency-Key': key }, body }).asResponse(),
        signal,
      ),
  };
}

/** Some servers say the error itself in place of `{ error }` (vLLM before 0.11, Mistral), Google says a list with one. */
class Client extends OpenAI {
  protected override makeStatusError(status: number, said: unknown, text: string | undefined, headers: Headers) {
    const first: unknown = Array.isArray(said) ? said[0] : said;
    const isNamed = typeof first === 'object' && first !== null && 'error' in first;
    return super.makeStatusError(status, isNamed ? first : { error: first }, text, headers);
  }
}

/** A redirect is not followed: the prompts would go where no plan has sent them. Replies and errors are cut off at a limit. */
async function fetchOnce(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const headers = [...new Headers(init.headers)].filter(([name]) => sentHeaders.includes(name));
  const response = await fetch(url, { ...init, headers, redirect: 'error' });
  const { status, ok, headers: received } = response;
  const limited = new Response(response.body?.pipeThrough(limitedTo(maximumReplyBytes)), { headers: received });
  // Servers say statuses that the constructor refuses.
  return Object.defineProperties(limited, { status: { value: status }, ok: { value: ok } });
}

function limitedTo(maximumBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform: (chunk, through) => {
      bytes += chunk.length;
      if (bytes > maximumBytes) throw replyInvalid(`at most ${maximumBytes} bytes`, 'more');
      through.enqueue(chunk);
    },
  });
}

function parseBody(text: string, contentType: string | null, expected: string): Json {
  if (text.trim() === '') throw replyInvalid(expected, 'an empty reply');
  try {
    return parseJson(text);
  } catch (error) {
    if (!hasCode(error, 'record-invalid')) throw error;
    // Only its type is told: a header may hold anything.
    const type = /^[\w.+-]{1,40}\/[\w.+-]{1,40}/.exec(contentType ?? '')?.[0] ?? 'no known type';
    throw replyInvalid(`${expected} as JSON`, `${text.length} characters of ${type}`, error);
  }
}
