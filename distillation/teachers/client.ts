/**
 * One request to a teacher, over the client of OpenAI: sent once, with the request key as its Idempotency-Key, and read to its end
 * within the time limit. Trying again is the caller's, who records every attempt. The client takes nothing from the environment:
 * neither keys nor headers that are meant for somebody else.
 */
import OpenAI from 'openai';
import { hasCode, NightstillError } from '../../config/errors.js';
import type { TeacherEndpoint } from '../../config/teacher-schema.js';
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../storage/index.js';
import { chatWire, confirmModel, replyInvalid, type Reply } from './chat-reply.js';
import { failedCall } from './failed-call.js';
import type { Served, Wire } from './wire.js';

export interface WholeReply<Said extends Served = Reply> {
  /** As it is recorded. */
  readonly body: Json;
  /** What it says. */
  readonly reply: Said;
  /** What the provider calls this reply, when it does. */
  readonly providerId: string | null;
}

export interface TeacherClient<Said extends Served = Reply> {
  readonly wire: Wire<Said>;
  /**
   * @param key names the request wherever it is asked again
   * @param signal ends the call
   * @throws FailedCall with a code and whether it may be tried again; the signal's reason
   */
  ask(request: JsonObject, key: string, signal: AbortSignal): Promise<WholeReply<Said>>;
}

/** Far beyond any answer of text. */
const maximumReplyBytes = 16 * 1024 * 1024;

/** Nothing else is sent. */
const sentHeaders: readonly string[] = ['accept', 'authorization', 'content-type', 'idempotency-key', 'user-agent'];

/** Over the chat API. */
export const openTeacherClient = (teacher: TeacherEndpoint, apiKey: string | undefined): TeacherClient =>
  openClient(teacher, apiKey, chatWire);

export function openClient<Said extends Served>(
  teacher: TeacherEndpoint,
  apiKey: string | undefined,
  wire: Wire<Said>,
): TeacherClient<Said> {
  const client = new OpenAI({
    baseURL: teacher.endpoint,
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
  const { timeout } = teacher.limits;
  return {
    wire,
    async ask(request, key, signal) {
      const late = AbortSignal.timeout(timeout);
      const ended = AbortSignal.any([signal, late]);
      try {
        const options = { headers: { 'Idempotency-Key': key }, signal: ended, timeout };
        const response = await client.post(wire.path, { ...options, body: request }).asResponse();
        const body = parseBody(await readText(response), response.headers.get('content-type'), wire.what);
        const reply = wire.read(body);
        confirmModel(reply, teacher.servedAs ?? teacher.model);
        return { body: wire.keep(body, reply), reply, providerId: providerIdOf(body) };
      } catch (error) {
        signal.throwIfAborted();
        throw failedCall(late.aborted ? lateReply(timeout) : error);
      }
    },
  };
}

/** A redirect is not followed: the prompts would go where no plan has sent them. */
function fetchOnce(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const headers = [...new Headers(init.headers)].filter(([name]) => sentHeaders.includes(name));
  return fetch(url, { ...init, headers, redirect: 'error' });
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maximumReplyBytes) throw replyInvalid(`at most ${maximumReplyBytes} bytes`, 'more');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseBody(text: string, contentType: string | null, expected: string): Json {
  if (text.trim() === '') throw replyInvalid(expected, 'an empty reply');
  try {
    return parseJson(text);
  } catch (error) {
    if (!hasCode(error, 'record-invalid')) throw error;
    throw replyInvalid(`${expected} as JSON`, `${text.length} characters of ${contentType ?? 'no type'}`, error);
  }
}

function providerIdOf(body: Json): string | null {
  const id = isJsonObject(body) ? body['id'] : undefined;
  return typeof id === 'string' ? id.slice(0, 200) : null;
}

const lateReply = (timeoutMs: number): NightstillError =>
  new NightstillError('teacher-unavailable', `expected a reply within ${timeoutMs} ms, found none`);
