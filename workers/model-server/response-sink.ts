/** A reply on its way to a client: whole, as a stream, or an error, also in the middle of a stream. */
import type { ServerResponse } from 'node:http';
import { eventStreamType, jsonType, type Sink } from './answer.js';
import type { ApiError } from './api-error.js';
import type { RecordedReply } from './idempotency-log.js';

/** As proxies write it: the client has left before the reply. */
const clientLeft = 499;

export class ResponseSink implements Sink {
  readonly #response: ServerResponse;
  readonly #left = new AbortController();
  #contentType = '';

  /** @param isLast the connection is closed after this reply */
  constructor(response: ServerResponse, isLast: boolean) {
    this.#response = response;
    if (isLast) response.setHeader('connection', 'close');
    response.on('close', () => {
      if (!response.writableFinished) this.#left.abort(new Error('the client has left'));
    });
    response.on('error', () => undefined);
  }

  /** Aborted when the client has left. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  get status(): number {
    return this.#left.signal.aborted ? clientLeft : this.#response.statusCode;
  }

  head(contentType: string): void {
    this.#contentType = contentType;
    this.#response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' });
  }

  write(text: string): void {
    this.#response.write(text);
  }

  end(): void {
    this.#response.end();
  }

  json(value: object, status = 200): void {
    this.#send(status, jsonType, JSON.stringify(value));
  }

  text(value: string): void {
    this.#send(200, 'text/plain; version=0.0.4; charset=utf-8', value);
  }

  recorded({ contentType, body }: RecordedReply, isReplay: boolean): void {
    if (isReplay) this.#response.setHeader('idempotent-replayed', 'true');
    this.#send(200, contentType, body);
  }

  fail(error: ApiError): void {
    if (this.#left.signal.aborted) this.#response.destroy();
    else if (!this.#response.headersSent) {
      for (const [name, value] of Object.entries(error.fields.headers ?? {})) this.#response.setHeader(name, value);
      this.#send(error.fields.status, jsonType, error.body);
      this.#response.end();
    } else {
      if (this.#contentType === eventStreamType) this.#response.write(`data: ${error.body}\n\n`);
      this.#response.end();
    }
  }

  #send(status: number, contentType: string, body: string | Buffer): void {
    this.#response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
    this.#response.write(body);
  }
}
