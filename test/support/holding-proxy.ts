/**
 * A proxy before a real S3 server that can hold a request while it is in flight: the server has its head, and no more of it or
 * of its answer passes until the hold is released. So a test kills a process, or the server itself, in the middle of exactly
 * the step that it names. Whatever is not held passes through unchanged.
 */
import { once } from 'node:events';
import { Agent, createServer, request as sendRequest, type IncomingMessage, type ServerResponse } from 'node:http';

export interface HoldRule {
  readonly method: 'GET' | 'PUT';
  /** Tested against path and query of the request. */
  readonly path: RegExp;
  /** So many that fit pass first. Default: none. */
  readonly passing?: number;
}

/** Takes the first request that fits its rule; the next one, if whoever sent that gives it up. */
export class Hold {
  #release: (() => void) | undefined;
  #over = false;
  #passing: number;

  constructor(readonly rule: HoldRule) {
    this.#passing = rule.passing ?? 0;
  }

  /** Is a request of a live client in flight and held? */
  get holds(): boolean {
    return this.#release !== undefined;
  }

  fits({ method, url = '' }: IncomingMessage): boolean {
    const fits = !this.#over && !this.holds && method === this.rule.method && this.rule.path.test(url);
    if (!fits || this.#passing === 0) return fits;
    this.#passing -= 1;
    return false;
  }

  /** Holds until it is released, or until `given` settles. */
  async take(givenUp: Promise<unknown>): Promise<void> {
    const released = new Promise<void>((resolve) => (this.#release = resolve));
    await Promise.race([released, givenUp]);
    this.#release = undefined;
  }

  /** Lets the request go on, and holds no other. */
  release(): void {
    this.#over = true;
    this.#release?.();
  }
}

/** Longer than a client keeps a connection that it may use again. */
const keepAliveMs = 600_000;

export class HoldingProxy {
  readonly endpoint: string;
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #close: () => void;
  #holds: Hold[] = [];

  private constructor(target: string, port: number, close: () => void) {
    this.endpoint = `http://127.0.0.1:${port}`;
    this.#target = new URL(target);
    this.#close = close;
  }

  /** @param target the endpoint of the real server */
  static async start(target: string): Promise<HoldingProxy> {
    const server = createServer({ keepAliveTimeout: keepAliveMs });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
    const proxy = new HoldingProxy(target, address.port, () => {
      server.close();
      server.closeAllConnections();
    });
    server.on('request', (request, answer) => void proxy.#serve(request, answer));
    return proxy;
  }

  /** Rules are tried in the order in which they were made. */
  hold(rule: HoldRule): Hold {
    const hold = new Hold(rule);
    this.#holds.push(hold);
    return hold;
  }

  releaseAll(): void {
    for (const hold of this.#holds) hold.release();
    this.#holds = [];
  }

  stop(): void {
    this.releaseAll();
    this.#close();
    this.#agent.destroy();
  }

  /** Either side may be killed at any moment; the other then sees its connection reset. */
  async #serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { hostname: host, port } = this.#target;
    const { method, url: path, rawHeaders } = request;
    // Headers as they came: they are signed, the host among them.
    const upstream = sendRequest({ host, port, method, path, headers: rawHeaders, agent: this.#agent });
    const gone = Promise.race([once(upstream, 'close'), once(answer, 'close')]).catch(() => undefined);
    upstream.on('error', () => request.socket.resetAndDestroy());
    answer.on('error', () => undefined).once('close', () => answer.writableFinished || upstream.destroy());
    upstream.flushHeaders();
    const hold = this.#holds.find((candidate) => candidate.fits(request));
    const passed = hold?.take(gone);
    upstream.once('response', (received) => void passOn(received, answer, passed));
    await passed;
    request.pipe(upstream);
  }
}

async function passOn(received: IncomingMessage, answer: ServerResponse, passed: Promise<void> | undefined) {
  received.on('error', () => answer.socket?.resetAndDestroy());
  await passed;
  answer.writeHead(received.statusCode ?? 502, received.rawHeaders);
  received.pipe(answer);
}
