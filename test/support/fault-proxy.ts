/**
 * A proxy before a real S3 server that does what networks and servers do on bad days, by a seeded plan. Requests and answers
 * pass through whole, in memory, so a test knows what the server has applied when its answer gets lost.
 */
import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as sendRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export const faults = [
  /** 503 SlowDown, 500 InternalError, 409 ConditionalRequestConflict: the server never sees the request. */
  'slow-down',
  'internal-error',
  'conflict',
  /** 403 AccessDenied, the answer of a policy. */
  'access-denied',
  /** The connection is reset before the server sees the request. */
  'reset-before',
  /** The server applies the request; the connection is reset instead of its answer. */
  'lost-answer',
  /** Half of the body reaches the server, then both connections are reset. */
  'truncated-request',
  /** Half of the body reaches the client, then the connection is reset. */
  'truncated-answer',
  /** One bit of the body is another. */
  'flipped-request',
  'flipped-answer',
  /** The answer's body comes in pieces with pauses. */
  'slow-answer',
  /** No answer, no reset. */
  'hang',
] as const;
export type Fault = (typeof faults)[number];

export interface FaultRule {
  readonly fault: Fault;
  /** Default: any. */
  readonly method?: string;
  /** Tested against path and query of the request. Default: any. */
  readonly path?: RegExp;
  /** Default 1. */
  readonly probability?: number;
  /** How often at most. Default: without end. */
  readonly times?: number;
}

interface Message {
  readonly head: IncomingMessage;
  readonly body: Buffer;
}

const refusals: Partial<Record<Fault, { readonly status: number; readonly code: string }>> = {
  'slow-down': { status: 503, code: 'SlowDown' },
  'internal-error': { status: 500, code: 'InternalError' },
  conflict: { status: 409, code: 'ConditionalRequestConflict' },
  'access-denied': { status: 403, code: 'AccessDenied' },
};

export class FaultProxy {
  readonly endpoint: string;
  /** How often each fault was injected. */
  readonly injected: Record<Fault, number>;
  requests = 0;
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #random: () => number;
  readonly #close: () => void;
  #rules: { readonly rule: FaultRule; left: number }[] = [];

  private constructor(target: string, seed: number, port: number, close: () => void) {
    this.endpoint = `http://127.0.0.1:${port}`;
    this.injected = noFaults();
    this.#target = new URL(target);
    this.#random = randomOf(seed);
    this.#close = close;
  }

  /** @param target the endpoint of the real server */
  static async start(target: string, seed = 1): Promise<FaultProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
    const proxy = new FaultProxy(target, seed, address.port, () => {
      server.close();
      server.closeAllConnections();
    });
    server.on('request', (request, answer) => {
      // A connection that either side gives up is what this proxy is for.
      proxy.#serve(request, answer).catch(() => answer.socket?.resetAndDestroy());
    });
    return proxy;
  }

  /** Replaces the plan. The first rule that fits a request, and whose dice say so, is applied. */
  plan(...rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }));
  }

  async stop(): Promise<void> {
    this.#close();
    this.#agent.destroy();
    await Promise.resolve();
  }

  async #serve(head: IncomingMessage, answer: ServerResponse): Promise<void> {
    this.requests++;
    const request = { head, body: await bytesOf(head) };
    const fault = this.#draw(request);
    const refusal = fault === undefined ? undefined : refusals[fault];
    if (refusal !== undefined) return refuse(answer, refusal.status, refusal.code);
    if (fault === 'hang') return;
    if (fault === 'reset-before') return void head.socket.resetAndDestroy();
    if (fault === 'truncated-request') {
      await this.#forwardHalf(request);
      return void head.socket.resetAndDestroy();
    }
    const forwarded = fault === 'flipped-request' ? { head, body: this.#flip(request.body) } : request;
    await this.#answer(await this.#forward(forwarded), answer, fault);
  }

  async #answer(received: Message, answer: ServerResponse, fault: Fault | undefined): Promise<void> {
    if (fault === 'lost-answer') return void answer.socket?.resetAndDestroy();
    const { head, body } = received;
    answer.writeHead(head.statusCode ?? 502, head.rawHeaders);
    if (body.length === 0) return void answer.end();
    if (fault === 'truncated-answer') {
      this.injected[fault]++;
      await new Promise((written) => answer.write(body.subarray(0, Math.floor(body.length / 2)), written));
      return void answer.socket?.resetAndDestroy();
    }
    if (fault === 'slow-answer') {
      const piece = Math.ceil(body.length / 5);
      for (let start = 0; start < body.length; start += piece) {
        answer.write(body.subarray(start, start + piece));
        await sleep(20);
      }
      return void answer.end();
    }
    if (fault === 'flipped-answer') this.injected[fault]++;
    answer.end(fault === 'flipped-answer' ? this.#flip(body) : body);
  }

  #draw({ head, body }: Message): Fault | undefined {
    const drawn = this.#rules.find(
      ({ rule: { fault, method, path, probability = 1 }, left }) =>
        left > 0 &&
        (method === undefined || method === head.method) &&
        (path === undefined || path.test(head.url ?? '')) &&
        (body.length > 0 || !fault.endsWith('-request')) &&
        this.#random() < probability,
    );
    if (drawn === undefined) return undefined;
    drawn.left--;
    const { fault } = drawn.rule;
    // Faults of an answer's body count when there is one.
    if (fault !== 'truncated-answer' && fault !== 'flipped-answer') this.injected[fault]++;
    return fault;
  }

  #flip(body: Buffer): Buffer {
    const flipped = Buffer.from(body);
    const position = Math.floor(this.#random() * flipped.length);
    flipped.writeUInt8(flipped.readUInt8(position) ^ (1 << Math.floor(this.#random() * 8)), position);
    return flipped;
  }

  async #forward(message: Message): Promise<Message> {
    const upstream = this.#request(message, this.#agent);
    upstream.end(message.body);
    const [received] = await once(upstream, 'response');
    return { head: received, body: await bytesOf(received) };
  }

  async #forwardHalf(message: Message): Promise<void> {
    const { body } = message;
    const upstream = this.#request(message, false);
    await new Promise((written) => upstream.write(body.subarray(0, Math.floor(body.length / 2)), written));
    upstream.destroy();
  }

  #request({ head }: Message, agent: Agent | false): ClientRequest {
    const { hostname: host, port } = this.#target;
    const { method, url: path } = head;
    const upstream = sendRequest({ host, port, method, path, agent, headers: headersOf(head) });
    // A server may answer before it has read everything, and then reset the connection.
    return upstream.on('error', () => undefined);
  }
}

/** As they came: they are signed, the host among them. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    headers[rawHeaders[index] ?? ''] = rawHeaders[index + 1] ?? '';
  return headers;
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function refuse(answer: ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>injected</Message></Error>`;
  answer.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'injected' });
  answer.end(body);
}

const noFaults = (): Record<Fault, number> => ({
  'slow-down': 0,
  'internal-error': 0,
  conflict: 0,
  'access-denied': 0,
  'reset-before': 0,
  'lost-answer': 0,
  'truncated-request': 0,
  'truncated-answer': 0,
  'flipped-request': 0,
  'flipped-answer': 0,
  'slow-answer': 0,
  hang: 0,
});

/** Mulberry32: small, seeded, good enough to choose faults. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
