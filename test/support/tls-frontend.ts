/**
 * In front of a Temporal server, what stands before one that is hosted: TLS with a certificate of an authority of its own, which asks
 * callers for theirs, and an API key with every call. Calls go through as they are.
 */
import { writeFileSync } from 'node:fs';
import {
  connect,
  constants,
  createSecureServer,
  type ClientHttp2Session,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** Files of the caller's, in PEM. */
export interface TlsFiles {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export interface TlsFrontendOptions {
  /** Of the Temporal server behind it: host:port. */
  readonly address: string;
  readonly apiKey: string;
  /** Where the files of callers are written. */
  readonly directory: string;
}

export class TlsFrontend {
  /** Calls that went through. */
  calls = 0;
  readonly #server: Http2SecureServer;
  readonly #behind: ClientHttp2Session;
  readonly #apiKey: string;

  private constructor(
    server: Http2SecureServer,
    readonly files: TlsFiles,
    { address, apiKey }: TlsFrontendOptions,
  ) {
    this.#server = server;
    this.#behind = connect(`http://${address}`);
    this.#apiKey = apiKey;
    server.on('stream', (stream, headers) => this.#serve(stream, headers));
    server.on('sessionError', () => undefined); // a caller that is turned away
  }

  static async start(options: TlsFrontendOptions): Promise<TlsFrontend> {
    const made = { algorithm: 'sha256', keyType: 'ec' } as const;
    const authority = await generate([{ name: 'commonName', value: 'authority of a test' }], {
      ...made,
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, critical: true },
      ],
    });
    const signed = { ...made, ca: { key: authority.private, cert: authority.cert } };
    const own = await generate([{ name: 'commonName', value: serverName }], {
      ...signed,
      extensions: [
        { name: 'extKeyUsage', serverAuth: true },
        { name: 'subjectAltName', altNames: [{ type: 2, value: serverName }] },
      ],
    });
    const callers = await generate([{ name: 'commonName', value: 'a caller' }], {
      ...signed,
      extensions: [{ name: 'extKeyUsage', clientAuth: true }],
    });
    const place = (name: string, text: string): string => {
      const path = join(options.directory, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    const files = {
      authority: place('authority.pem', authority.cert),
      certificate: place('caller.pem', callers.cert),
      key: place('caller-key.pem', callers.private),
    };
    const server = createSecureServer({
      key: own.private,
      cert: own.cert,
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const frontend = new TlsFrontend(server, files, options);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return frontend;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#behind.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => undefined); // a caller that goes away
    if (headers.authorization !== `Bearer ${this.#apiKey}`) {
      const refused = { 'content-type': 'application/grpc', 'grpc-status': '16', 'grpc-message': 'unknown key' };
      stream.respond({ ':status': 200, ...refused }, { endStream: true });
      return;
    }
    this.calls += 1;
    const call = this.#behind.request({ ...headers, ':scheme': 'http' });
    let trailers: IncomingHttpHeaders = {};
    call.on('trailers', (received) => (trailers = received));
    call.on('response', (response, flags) => {
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      if (stream.destroyed) return;
      stream.respond(response, { endStream, waitForTrailers: !endStream });
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    call.on('error', () => stream.close(constants.NGHTTP2_CANCEL));
    stream.on('close', () => call.close(constants.NGHTTP2_CANCEL));
    stream.pipe(call);
    call.pipe(stream);
  }
}

/** What its certificate is for: no name of this machine. */
export const serverName = 'temporal.example';
