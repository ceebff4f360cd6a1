/**
 * A real S3 server (versitygw) over a temporary directory, on a port of its own. It can be killed and started again over
 * the same directory. Its credentials are set in the environment of this process, where the SDK looks for them, and given
 * as `environment` for child processes.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { endWithUs } from './left-behind.js';
import { s3ServerBinary } from './servers.js';

const bucket = 'nightstill-test';
interface Credentials {
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
}
const standardCredentials: Credentials = {
  AWS_ACCESS_KEY_ID: 'nightstill',
  AWS_SECRET_ACCESS_KEY: 'nightstill-secret',
};
const readyWithinMs = 20_000;

export class S3Server {
  readonly endpoint: string;
  readonly bucket = bucket;
  /** What a child process needs in its environment to reach the server. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #binary: string;
  readonly #directory: string;
  #process: ChildProcess | undefined;

  readonly #credentials: Credentials;

  private constructor(binary: string, directory: string, port: number, credentials: Credentials) {
    this.#credentials = credentials;
    this.environment = { ...credentials };
    this.#binary = binary;
    this.#directory = directory;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  static async start(credentials = standardCredentials): Promise<S3Server> {
    const directory = await mkdtemp(join(tmpdir(), 'nightstill-s3-'));
    await mkdir(join(directory, bucket));
    const server = new S3Server(await s3ServerBinary(), directory, await freePort(), credentials);
    Object.assign(process.env, credentials);
    await server.restart();
    return server;
  }

  /** A store URL of the server, by way of a proxy if its endpoint is given. */
  url(prefix = '', endpoint = this.endpoint): string {
    const query = new URLSearchParams({ region: 'us-east-1', endpoint, forcePathStyle: 'true' });
    return `s3://${bucket}${prefix && `/${prefix}`}?${query.toString()}`;
  }

  /** Starts it over the directory it had. */
  async restart(): Promise<void> {
    const port = new URL(this.endpoint).port;
    const parameters = ['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive', 'posix', this.#directory];
    const environment = {
      ROOT_ACCESS_KEY: this.#credentials.AWS_ACCESS_KEY_ID,
      ROOT_SECRET_KEY: this.#credentials.AWS_SECRET_ACCESS_KEY,
    };
    const child = spawn(this.#binary, parameters, { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints = `${complaints}${chunk.toString()}`.slice(-2000)));
    this.#process = child;
    endWithUs(child);
    const deadline = Date.now() + readyWithinMs;
    for (;;) {
      const answer = await fetch(this.endpoint).catch(() => undefined);
      if (answer?.status === 403) return;
      if (child.exitCode !== null) throw new Error(`versitygw ended with code ${child.exitCode}: ${complaints}`);
      if (Date.now() > deadline) throw new Error(`versitygw did not answer within ${readyWithinMs} ms`);
      await sleep(20);
    }
  }

  /** Ends it as a power cut would, without a chance to finish anything. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends it and removes its directory. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
