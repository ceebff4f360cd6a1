/**
 * The HTTP server: routes, authorisation, limits, and what becomes of a request whose client leaves. Requests with an
 * idempotency key are finished and recorded all the same; others free their slots at once.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Admission } from './admission.js';
import { answer, type Answerer, type Sink } from './answer.js';
import { ApiError, asApiError, badRequest } from './api-error.js';
import { checkAuthorization } from './api-key.js';
import { openChatForm, parseChat } from './chat.js';
import { openCompletionForm, parseCompletion } from './completions.js';
import type { IdempotencyLog, RecordedReply } from './idempotency-log.js';
import { timedOut, type Inference } from './inference.js';
import { Metrics } from './metrics.js';
import type { ModelEngine } from './model-engine.js';
import type { ModelText } from './model-text.js';
import type { OpenForm } from './reply-form.js';
import { readBody } from './request-body.js';
import { ResponseSink } from './response-sink.js';

export interface ServerSettings {
  readonly engine: ModelEngine;
  readonly text: ModelText;
  readonly modelId: string;
  readonly modelDigest: string;
  readonly systemFingerprint: string;
  readonly slots: number;
  readonly capacity: number;
  readonly maximumQueue: number;
  readonly maximumBodyBytes: number;
  readonly timeLimitSeconds: number;
  readonly apiKey: string | undefined;
  readonly log: IdempotencyLog | undefined;
}

interface Endpoint {
  readonly parse: (body: unknown, text: ModelText) => Inference & { readonly model: string };
  readonly form: OpenForm;
}

const endpoints: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': { parse: parseChat, form: openChatForm },
  '/v1/completions': { parse: parseCompletion, form: openCompletionForm },
};

export class ModelServer {
  readonly http: Server;
  readonly #settings: ServerSettings;
  readonly #admission: Admission;
  readonly #metrics: Metrics;
  readonly #answerer: Answerer;
  readonly #startedAt = Math.floor(Date.now() / 1000);
  /** Aborted when requests that still run must end. */
  readonly #end = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #isBroken = false;

  constructor(settings: ServerSettings) {
    this.#settings = settings;
    const { engine, text, modelId, systemFingerprint, capacity, slots, maximumQueue, log } = settings;
    const admission = new Admission(slots, maximumQueue);
    const metrics = new Metrics([
      { name: 'nightstill_slots', help: 'Sequences that run at a time.', read: () => slots },
      { name: 'nightstill_running', help: 'Sequences in slots.', read: () => admission.running },
      { name: 'nightstill_queue', help: 'Sequences that wait for a slot.', read: () => admission.waiting },
      {
        name: 'nightstill_waiting_for_key',
        help: 'Requests that wait for another one with their idempotency key.',
        read: () => log?.waiting ?? 0,
      },
    ]);
    this.#admission = admission;
    this.#metrics = metrics;
    this.#answerer = {
      engine,
      text,
      modelId,
      systemFingerprint,
      capacity,
      enter: (sequences) => admission.enter(sequences),
      onComputed: (prompt, generated) => metrics.computed(prompt, generated),
    };
    void engine.died.then(() => (this.#isBroken = true));
    this.http = createServer((request, response) => {
      const work = this.#serve(request, response).finally(() => this.#running.delete(work));
      this.#running.add(work);
    });
  }

  /** Refuses new requests, finishes those that run, and after `withinMs` ends those that are left. */
  async close(withinMs: number): Promise<void> {
    this.#admission.close();
    this.http.close();
    this.http.closeIdleConnections();
    const timers = [
      setTimeout(() => this.#end.abort(ended()), withinMs),
      // Slow clients must not keep the process alive.
      setTimeout(() => this.http.closeAllConnections(), withinMs + 1000),
    ];
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    timers.forEach(clearTimeout);
    this.http.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const beganMs = performance.now();
    const [pathname = '/'] = (request.url ?? '/').split('?');
    const sink = new ResponseSink(response, this.#admission.isClosed);
    try {
      if (pathname !== '/health') checkAuthorization(request, this.#settings.apiKey);
      await this.#route(pathname, request, sink);
      sink.end();
    } catch (error) {
      sink.fail(asApiError(error));
    }
    this.#metrics.answered(routeOf(pathname), sink.status, (performance.now() - beganMs) / 1000);
  }

  async #route(pathname: string, request: IncomingMessage, sink: ResponseSink): Promise<void> {
    const endpoint = endpoints[pathname];
    if (endpoint !== undefined) {
      checkMethod(request, 'POST');
      return this.#complete(pathname, endpoint, request, sink);
    }
    const found = this.#look(pathname);
    if (found === undefined) throw unknown(pathname);
    checkMethod(request, 'GET');
    return found(sink);
  }

  /** The pages for GET. */
  #look(pathname: string): ((sink: ResponseSink) => void) | undefined {
    if (pathname === '/health') return (sink) => this.#health(sink);
    if (pathname === '/metrics') return (sink) => sink.text(this.#metrics.draw());
    if (pathname === '/v1/models') return (sink) => sink.json({ object: 'list', data: [this.#model()] });
    if (!pathname.startsWith('/v1/models/')) return undefined;
    const id = decodePath(pathname.slice('/v1/models/'.length));
    return (sink) => {
      this.#checkModel(id);
      sink.json(this.#model());
    };
  }

  #health(sink: ResponseSink): void {
    const status = this.#isBroken ? 'broken' : this.#admission.isClosed ? 'ending' : 'ok';
    sink.json({ status, model: this.#settings.modelId }, status === 'ok' ? 200 : 503);
  }

  #model(): object {
    const { modelId, capacity } = this.#settings;
    return {
      id: modelId,
      object: 'model',
      created: this.#startedAt,
      owned_by: 'nightstill',
      max_model_len: capacity,
    };
  }

  async #complete(pathname: string, endpoint: Endpoint, request: IncomingMessage, sink: ResponseSink): Promise<void> {
    const { maximumBodyBytes, log, modelDigest } = this.#settings;
    const key = keyOf(request);
    if (key !== undefined && log === undefined)
      throw badRequest(
        'idempotency_unavailable',
        'Idempotency-Key: expected a server with a log of replies, found one without. Start it with --idempotency-log.',
      );
    const { bytes, json } = await readBody(request, maximumBodyBytes);
    const { signal, forget } = this.#timeLimit();
    try {
      if (key === undefined || log === undefined)
        return await this.#compute(endpoint, json, sink, AbortSignal.any([signal, sink.left]));
      const digest = createHash('sha256').update(`${pathname}\n`).update(bytes).digest('hex');
      const { reply, isReplay } = await log.once({ key, digest, modelDigest }, () => {
        // A request that waited for another one with its key, and has ended meanwhile, begins nothing; once begun, it is finished.
        sink.left.throwIfAborted();
        signal.throwIfAborted();
        return record((into) => this.#compute(endpoint, json, into, signal));
      });
      if (isReplay) this.#metrics.replayed();
      sink.recorded(reply, isReplay);
    } finally {
      forget();
    }
  }

  /** The time limit of a request, its wait for others included. */
  #timeLimit(): { readonly signal: AbortSignal; readonly forget: () => void } {
    const { timeLimitSeconds } = this.#settings;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(timedOut(timeLimitSeconds)), timeLimitSeconds * 1000);
    return { signal: AbortSignal.any([late.signal, this.#end.signal]), forget: () => clearTimeout(timer) };
  }

  async #compute({ parse, form }: Endpoint, json: unknown, sink: Sink, signal: AbortSignal): Promise<void> {
    const { text } = this.#settings;
    const inference = parse(json, text);
    this.#checkModel(inference.model);
    return answer(this.#answerer, inference, form(text, inference), sink, signal);
  }

  #checkModel(id: string): void {
    const { modelId } = this.#settings;
    if (id === modelId) return;
    throw new ApiError({
      status: 404,
      code: 'model_not_found',
      param: 'model',
      message: `model: expected ${JSON.stringify(modelId)}, the model of this server, found ${JSON.stringify(id)}.`,
    });
  }
}

async function record(compute: (sink: Sink) => Promise<void>): Promise<RecordedReply> {
  let contentType = '';
  let body = '';
  await compute({
    head: (type) => void (contentType = type),
    write: (text) => void (body += text),
  });
  return { contentType, body: Buffer.from(body) };
}

function keyOf({ headers }: IncomingMessage): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw badRequest('invalid_value', 'Idempotency-Key: expected 1 to 255 visible ASCII characters, found others.');
}

function checkMethod({ method }: IncomingMessage, expected: string): void {
  if (method === expected) return;
  throw new ApiError({
    status: 405,
    code: 'method_not_allowed',
    message: `Expected ${expected}, found ${method}.`,
    headers: { allow: expected },
  });
}

const unknown = (pathname: string): ApiError =>
  new ApiError({
    status: 404,
    code: 'unknown_url',
    message: `Expected /v1/chat/completions, /v1/completions, /v1/models, /metrics or /health, found ${pathname}.`,
  });

const ended = (): ApiError =>
  new ApiError({ status: 503, code: 'server_shutting_down', message: 'The server has ended before the answer.' });

/** The label of a metric: any unknown path has the same one, so that their number is bounded. */
const routeOf = (pathname: string): string =>
  pathname in endpoints || ['/health', '/metrics', '/v1/models'].includes(pathname)
    ? pathname
    : pathname.startsWith('/v1/models/')
      ? '/v1/models/{id}'
      : 'other';

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unknown(text);
  }
}
